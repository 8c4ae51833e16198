//! iptables: one `iptables-restore --noflush` per change and address family, atomic and with a bounded wait for the
//! lock; at most one listing, and none where the kernel itself can say that there is nothing of ours.

mod addresses;
mod condition;
mod extension;
mod legacy;
mod listing;
mod lock;
mod meaning;
mod probe;
mod script;
mod tool;
mod value;

use cni_types::{Family, Result};

pub use addresses::Addresses;
use condition::Condition;
pub use extension::{Extension, or_natively, require};
pub use legacy::holds as legacy_holds;
pub(crate) use legacy::{is_loaded as legacy_is_loaded, nat_is_used as legacy_nat_is_used};
pub use listing::{Line, Listing};
pub use meaning::Meaning;
pub use probe::{is_usable, probe};
pub use script::Script;
pub use tool::{Tool, Variant};

/// Carries out a script with the host's iptables, or with its legacy one.
///
/// # Errors
/// Code 11 naming the holder when the lock is not free in time, else code 101 with what the tool says.
pub fn restore(family: Family, legacy: bool, script: &Script) -> Result<()> {
    Tool::find(family, "restore", legacy)?.restore(&script.text()?, false)
}

/// Lists a table with the host's iptables, or with its legacy one.
///
/// # Errors
/// Code 101 when there is no tool, or with what it says.
pub fn list(family: Family, legacy: bool, table: &str) -> Result<Listing> {
    Ok(Listing::parse(&Tool::find(family, "save", legacy)?.run(&["-t", table], "")?))
}
