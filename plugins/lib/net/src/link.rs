//! Links: a snapshot of what the kernel says, and the requests every plugin needs. `ip link show|set|delete`.

mod attribute;
pub(crate) mod decode;
mod find;
pub mod ifb;
mod kind;
mod moving;
mod name;
mod new;
mod owned;
pub(crate) mod request;
pub(crate) mod settings;
pub mod veth;
pub mod vrf;

use cni_types::{IfName, Mac, Result};

use crate::rtnl::Rtnl;
use cni_netlink::attr::Attrs;
use cni_netlink::{Refused, Request};

pub use attribute::Attribute;
pub(crate) use attribute::{set_flags, set_up};
use find::{first, get};
pub use kind::{Ipvlan, IpvlanFlag, IpvlanMode, Kind, Macvlan, MacvlanMode, Tap, Vlan};
pub use moving::Shape;
pub use name::LinkName;
pub use new::{NewLink, Side};
use request::{about, about_named};
pub use settings::Settings;

/// `RTEXT_FILTER_SKIP_STATS` (`linux/rtnetlink.h`): counters are half of a link message and nobody here reads them.
const SKIP_STATS: u32 = 1 << 3;
/// `IFLA_EXT_MASK`
pub(crate) const IFLA_EXT_MASK: u16 = 29;
/// `IFLA_INFO_SLAVE_KIND`, `IFLA_INFO_SLAVE_DATA` inside `IFLA_LINKINFO`
pub(crate) const INFO_SLAVE_KIND: u16 = 4;
pub(crate) const INFO_SLAVE_DATA: u16 = 5;

/// Administratively up (`linux/if.h`).
pub const IFF_UP: u32 = 0x1;
/// Every packet is received (`linux/if.h`).
pub const IFF_PROMISC: u32 = 0x100;
/// Every multicast packet is received (`linux/if.h`).
const IFF_ALLMULTI: u32 = 0x200;

/// Operational states (`IF_OPER_*`, RFC 2863), by number.
const OPER_STATES: [&str; 7] =
    ["unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up"];

/// One link as the kernel described it at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Link {
    /// The interface index in its namespace.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Its alternative names (`IFLA_PROP_LIST`, since Linux 5.5).
    pub alternative_names: Vec<String>,
    /// Its hardware address, where it is an Ethernet one.
    pub mac: Option<Mac>,
    /// The address its hardware came with, where it has one (`IFLA_PERM_ADDRESS`, since Linux 5.6).
    pub permanent_mac: Option<Mac>,
    /// The device behind it, such as `0000:3b:00.1` or `virtio0`; empty without one (`IFLA_PARENT_DEV_NAME`, since
    /// Linux 5.14).
    pub parent: String,
    /// That device's bus, such as `pci`.
    pub parent_bus: String,
    /// MTU in bytes.
    pub mtu: u32,
    /// Length of the transmit queue in packets.
    pub tx_queue_length: u32,
    /// `IFLA_INFO_KIND`: `bridge`, `veth`, …; empty for a device of no kind.
    pub kind: String,
    /// `IFLA_INFO_DATA`: what is particular to the kind, as [`Kind::of`] reads it.
    pub kind_data: Vec<u8>,
    /// The index of the bridge or other master it belongs to.
    pub master: Option<u32>,
    /// `IFLA_LINK`: the index of a veth's peer, or of the link that a macvlan, ipvlan or vlan is on; possibly in another
    /// namespace.
    pub iflink: Option<u32>,
    /// `IFF_*` flags.
    pub flags: u32,
    /// `IF_OPER_*` state.
    pub oper_state: u8,
    /// `IFLA_IFALIAS`: on our host links the owner's tag.
    pub alias: String,
    /// Bridge: whether it filters VLANs; `None` on a kernel whose bridges cannot.
    pub vlan_filtering: Option<bool>,
    /// Bridge port: `IFLA_BRPORT_MODE`, hairpin.
    pub hairpin: bool,
    /// Bridge port: `IFLA_BRPORT_ISOLATED`.
    pub isolated: bool,
    /// What it does with IPv4 and IPv6.
    pub settings: Settings,
}

impl Link {
    /// Whether it is administratively up.
    pub fn is_up(&self) -> bool {
        self.flags & IFF_UP != 0
    }

    /// Whether somebody asked for promiscuous mode.
    pub fn is_promiscuous(&self) -> bool {
        self.flags & IFF_PROMISC != 0
    }

    /// Whether somebody asked for every multicast packet.
    pub fn is_all_multicast(&self) -> bool {
        self.flags & IFF_ALLMULTI != 0
    }

    /// Whether packets pass: operational state "up".
    pub fn is_operational(&self) -> bool {
        self.oper_state == 6
    }

    /// The operational state as a word.
    pub fn oper_state_text(&self) -> &'static str {
        OPER_STATES.get(usize::from(self.oper_state)).copied().unwrap_or("unknown")
    }

    /// The hardware address as text, `""` without one.
    pub fn mac_text(&self) -> String {
        self.mac.map(|mac| mac.to_string()).unwrap_or_default()
    }
}

impl Rtnl {
    /// Deletes the link with index `index`; one that is gone already is success.
    ///
    /// # Errors
    /// Code 100 when the kernel refuses.
    pub fn remove_link_if_present(&self, index: u32) -> Result<()> {
        self.delete(format!("delete the link with index {index}"), about(index))
    }

    /// Deletes the link named `name`; one that is gone already is success.
    ///
    /// # Errors
    /// Code 100 when the kernel refuses.
    pub fn remove_link_named_if_present(&self, name: &IfName) -> Result<()> {
        self.delete(format!("delete link {name}"), about_named(name.as_str()))
    }

    fn delete(&self, doing: String, body: Attrs) -> Result<()> {
        let delete = Request::new(doing, libc::RTM_DELLINK, 0, body);
        Ok(self.socket.change(&[delete]).or_else(Refused::unless_gone)?)
    }
}
