//! Kinds of links that a container gets as they are: not half of a pair, not a bridge.

mod ipvlan;
mod macvlan;
pub(super) mod tap;
mod vlan;

use std::fmt;

use cni_netlink::attr::Attrs;
use cni_types::Words;

use super::Link;
use super::request::put_kind;

pub use ipvlan::{Ipvlan, IpvlanFlag, IpvlanMode};
pub use macvlan::{Macvlan, MacvlanMode};
pub use tap::Tap;
pub use vlan::Vlan;

/// A kind, with what links of it are made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A link with a hardware address of its own on another link.
    Macvlan(Macvlan),
    /// A link that shares the hardware address of another link.
    Ipvlan(Ipvlan),
    /// A link to one VLAN of another link.
    Vlan(Vlan),
    /// A link whose other end is a program, such as a virtual machine.
    Tap(Tap),
    /// A link that drops what is sent through it.
    Dummy,
}

impl Kind {
    /// The kernel's word for it (`IFLA_INFO_KIND`).
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Macvlan(_) => "macvlan",
            Self::Ipvlan(_) => "ipvlan",
            Self::Vlan(_) => "vlan",
            Self::Tap(_) => "tun",
            Self::Dummy => "dummy",
        }
    }

    /// Whether links of this kind are on another link.
    pub const fn has_master(&self) -> bool {
        matches!(self, Self::Macvlan(_) | Self::Ipvlan(_) | Self::Vlan(_))
    }

    /// Whether the kernel brings such a link up only where the link it is on is up (`vlan_dev_open`,
    /// `net/8021q/vlan_dev.c`). The others wait for it.
    pub const fn needs_master_up(&self) -> bool {
        matches!(self, Self::Vlan(_))
    }

    /// The kernel's option for it, and its module.
    pub(super) const fn option(&self) -> (&'static str, &'static str) {
        match self {
            Self::Macvlan(_) => ("CONFIG_MACVLAN", "macvlan"),
            Self::Ipvlan(_) => ("CONFIG_IPVLAN", "ipvlan"),
            Self::Vlan(_) => ("CONFIG_VLAN_8021Q", "8021q"),
            Self::Tap(_) => ("CONFIG_TUN", "tun"),
            Self::Dummy => ("CONFIG_DUMMY", "dummy"),
        }
    }

    /// Whether a link that the kernel says is `found` is what was asked for.
    pub fn agrees_with(&self, found: &Self) -> bool {
        match (self, found) {
            (Self::Macvlan(wanted), Self::Macvlan(found)) => wanted.agrees_with(*found),
            (Self::Tap(wanted), Self::Tap(found)) => wanted.agrees_with(found),
            (wanted, found) => wanted == found,
        }
    }

    /// What the kernel says the link is; `None` for any other kind.
    pub fn of(link: &Link) -> Option<Self> {
        let data = &link.kind_data;
        match link.kind.as_str() {
            "macvlan" => Macvlan::decode(data).map(Self::Macvlan),
            "ipvlan" => Ipvlan::decode(data).map(Self::Ipvlan),
            "vlan" => Vlan::decode(data).map(Self::Vlan),
            "tun" => Tap::decode(data).map(Self::Tap),
            "dummy" => Some(Self::Dummy),
            _ => None,
        }
    }

    /// Writes `IFLA_LINKINFO`.
    pub(super) fn put(&self, body: &mut Attrs) {
        put_kind(body, self.name(), |data| match self {
            Self::Macvlan(macvlan) => macvlan.put(data),
            Self::Ipvlan(ipvlan) => ipvlan.put(data),
            Self::Vlan(vlan) => vlan.put(data),
            Self::Tap(_) | Self::Dummy => {}
        });
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |number: Option<u32>| number.map_or_else(|| "anybody".to_owned(), |n| n.to_string());
        match self {
            Self::Macvlan(macvlan) => {
                write!(f, "macvlan mode {}, bcqueuelen {}", macvlan.mode.word(), macvlan.bc_queue_length)
            }
            Self::Ipvlan(ipvlan) => {
                write!(f, "ipvlan mode {}, flag {}", ipvlan.mode.word(), ipvlan.flag.word())
            }
            Self::Vlan(vlan) => write!(f, "vlan with vlanId {}", vlan.id),
            Self::Tap(tap) => {
                let (owner, group) = (shown(tap.owner), shown(tap.group));
                write!(f, "a tap of owner {owner} and group {group}, multiQueue {}", tap.multi_queue)
            }
            Self::Dummy => f.write_str("dummy"),
        }
    }
}
