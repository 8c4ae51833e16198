//! What the table and what is in it are called.

use cni_filter::nft::{Table, TableFamily};

pub(super) const TABLE: Table<'_> = Table { family: TableFamily::Inet, name: "cni_portmap" };
/// What the names of the sets of sources start with.
pub(super) const SOURCES: &str = "sources";

/// The chain of a layer behind the first.
pub(super) fn later(layer: u8) -> String {
    format!("later{layer}")
}
