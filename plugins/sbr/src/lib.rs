//! `sbr`: source based routing. What a container sends from an interface's address leaves by that interface, whatever
//! its main table says. It comes in a chain behind the plugin that made the interface.
//!
//! ADD gives every address of the interface a routing table of its own: a default route through its gateway and the
//! routes the interface has in the main table, which leave it. A rule per address looks into the table. With `table`
//! there are only the rules; somebody else has filled that table. The routes are computed first and made in two writes:
//! what is new, then what leaves the main table.
//!
//! Host state: none; rules and routes are in the container's namespace. DEL removes the rules, the tables' routes go
//! with the interface.
//!
//! Differs from the reference: see README.md.

mod add;
mod check;
mod conf;
mod del;
mod plan;
mod source_routing;

use cni_part::PartPlugin;
use cni_types::SpecVersion;

pub use conf::KEYS;

/// The plugin.
pub static SBR: PartPlugin = PartPlugin {
    name: "sbr",
    versions: &SpecVersion::ALL,
    is_chained: true,
    parts: source_routing::parts,
    owned: &[&source_routing::RULES],
};
