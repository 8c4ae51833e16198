//! iptables: one `iptables-restore --noflush` per change and address family, atomic and with a bounded wait for the
//! lock; at most one listing, and none where the kernel itself can say that there is nothing of ours.

mod addresses;
mod condition;
mod extension;
mod legacy;
mod listing;
mod lock;
mod probe;
mod script;
mod shape;
mod tool;

use cni_types::Result;

use crate::nft::{Family, Table};
pub use addresses::Addresses;
pub use condition::Condition;
pub use extension::{Extension, or_natively, require};
pub use legacy::holds as legacy_holds;
pub(crate) use legacy::{is_loaded as legacy_is_loaded, nat_is_used as legacy_nat_is_used};
pub use listing::{Line, Listing};
pub use probe::{is_usable, probe};
pub use script::Script;
pub use shape::{Interface, Matched, Shape};
pub use tool::{Tool, Variant};

/// An address family: iptables has a tool and a table for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Protocol {
    /// Both.
    pub const ALL: [Self; 2] = [Self::V4, Self::V6];

    /// `iptables` or `ip6tables`.
    pub fn tool(self) -> &'static str {
        match self {
            Self::V4 => "iptables",
            Self::V6 => "ip6tables",
        }
    }

    /// The nat table of iptables-nft.
    pub fn nft_nat(self) -> Table<'static> {
        self.nft_table("nat")
    }

    /// A table of iptables-nft.
    pub fn nft_table(self, name: &str) -> Table<'_> {
        Table { family: if self == Self::V4 { Family::Ipv4 } else { Family::Ipv6 }, name }
    }
}

/// Carries out a script with the host's iptables, or with its legacy one.
///
/// # Errors
/// Code 11 naming the holder when the lock is not free in time, else code 101 with what the tool says.
pub fn restore(protocol: Protocol, legacy: bool, script: &Script) -> Result<()> {
    Tool::find(protocol, "restore", legacy)?.restore(&script.text()?, false)
}

/// Lists a table with the host's iptables, or with its legacy one.
///
/// # Errors
/// Code 101 when there is no tool, or with what it says.
pub fn list(protocol: Protocol, legacy: bool, table: &str) -> Result<Listing> {
    Ok(Listing::parse(&Tool::find(protocol, "save", legacy)?.run(&["-t", table], "")?))
}
