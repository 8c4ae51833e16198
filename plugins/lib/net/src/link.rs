//! Links: a snapshot of what the kernel says, and the requests every plugin needs. `ip link show|set|delete`.

mod abi;
mod attribute;
pub(crate) mod decode;
mod find;
pub mod ifb;
mod kind;
mod moving;
mod name;
mod new;
mod owned;
mod remove;
pub(crate) mod request;
pub(crate) mod settings;
pub mod veth;
pub mod vrf;

use cni_types::Mac;

use abi::IFF_ALLMULTI;
pub(crate) use abi::IFLA_EXT_MASK;
pub use abi::{IFF_PROMISC, IFF_UP};
pub use attribute::Attribute;
pub(crate) use attribute::{set_flags, set_up};
pub(crate) use find::{first, get};
pub use kind::{Ipvlan, IpvlanFlag, IpvlanMode, Kind, Macvlan, MacvlanMode, Tap, Vlan};
pub use moving::Shape;
pub use name::LinkName;
pub use new::{NewLink, Side};
pub use settings::Settings;

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
    /// `IFLA_LINK`: the index of a veth's peer, or of the link that a macvlan, ipvlan or vlan is on; possibly in
    /// another namespace.
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
