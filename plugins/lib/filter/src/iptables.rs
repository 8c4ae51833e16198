//! iptables: one `iptables-restore --noflush` per change and address family, atomic and with a bounded wait for the
//! lock; at most one listing, and none where the kernel itself can say that there is nothing of ours.

mod legacy;
mod listing;
mod lock;
mod script;
mod tool;

use cni_types::Result;

use crate::nft::{Family, Table};
pub(crate) use legacy::{is_loaded as legacy_is_loaded, nat_holds, nat_is_used as legacy_nat_is_used};
pub(crate) use listing::{Line, Listing};
pub(crate) use script::Script;
pub(crate) use tool::{Tool, Variant};

/// An address family: iptables has a tool and a table for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Protocol {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::V4, Self::V6];

    /// `iptables` or `ip6tables`.
    pub(crate) fn tool(self) -> &'static str {
        match self {
            Self::V4 => "iptables",
            Self::V6 => "ip6tables",
        }
    }

    /// The nat table of iptables-nft.
    pub(crate) fn nft_nat(self) -> Table<'static> {
        Table { family: if self == Self::V4 { Family::Ipv4 } else { Family::Ipv6 }, name: "nat" }
    }
}

/// Carries out a script with the host's iptables, or with its legacy one.
pub(crate) fn restore(protocol: Protocol, legacy: bool, script: &Script) -> Result<()> {
    Tool::find(protocol, "restore", legacy)?.restore(&script.text()?, false)
}

/// Lists the nat table with the host's iptables, or with its legacy one.
pub(crate) fn list_nat(protocol: Protocol, legacy: bool) -> Result<Listing> {
    Ok(Listing::parse(&Tool::find(protocol, "save", legacy)?.run(&["-t", "nat"], "")?))
}
