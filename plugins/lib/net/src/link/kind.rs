//! Kinds of links that a container gets as they are: not half of a pair, not a bridge.

mod macvlan;

use std::fmt;

use cni_netlink::attr::Attrs;

use super::Link;

pub use macvlan::{Macvlan, Mode as MacvlanMode};

/// A kind, with what links of it are made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A link with an address of its own on another link.
    Macvlan(Macvlan),
    /// A link that drops what is sent through it.
    Dummy,
}

impl Kind {
    /// The kernel's word for it (`IFLA_INFO_KIND`).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Macvlan(_) => "macvlan",
            Self::Dummy => "dummy",
        }
    }

    /// Whether links of this kind are on another link.
    pub const fn has_master(self) -> bool {
        !matches!(self, Self::Dummy)
    }

    /// Whether such a link has a hardware address of its own that others have to learn.
    pub const fn has_own_address(self) -> bool {
        !matches!(self, Self::Dummy)
    }

    /// Whether a link that the kernel says is `found` is what was asked for.
    pub fn agrees_with(self, found: Self) -> bool {
        match (self, found) {
            (Self::Macvlan(wanted), Self::Macvlan(found)) => wanted.agrees_with(found),
            (wanted, found) => wanted == found,
        }
    }

    /// What the kernel says the link is; `None` for any other kind.
    pub fn of(link: &Link) -> Option<Self> {
        match link.kind.as_str() {
            "macvlan" => Macvlan::decode(&link.kind_data).map(Self::Macvlan),
            "dummy" => Some(Self::Dummy),
            _ => None,
        }
    }

    /// Writes `IFLA_INFO_KIND` and `IFLA_INFO_DATA`.
    pub(super) fn put(self, info: &mut Attrs) {
        info.bytes(libc::IFLA_INFO_KIND, self.name().as_bytes());
        match self {
            Self::Macvlan(macvlan) => info.nest(libc::IFLA_INFO_DATA, |data| macvlan.put(data)),
            Self::Dummy => {}
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Macvlan(macvlan) => write!(f, " mode {}", macvlan.mode),
            Self::Dummy => Ok(()),
        }
    }
}
