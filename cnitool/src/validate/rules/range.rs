//! A range of addresses that containers get.

use cni_types::{Cidr, Family};

use crate::validate::finding::Spot;

/// Addresses `start` to `end`, both included, as numbers.
#[derive(Debug, Clone)]
pub(crate) struct Range {
    pub(crate) family: Family,
    pub(crate) start: u128,
    pub(crate) end: u128,
    /// The gateway's address, which no container gets.
    pub(crate) gateway: u128,
    pub(crate) subnet: Cidr,
    /// Where the range is written.
    pub(crate) spot: Spot,
}

impl Range {
    /// What it is called in messages.
    pub(crate) fn text(&self) -> String {
        self.subnet.to_string()
    }
}

/// The first pairs of ranges, in the order of their addresses, that share an address: each range is told once.
pub(crate) fn overlaps<'a>(ranges: impl Iterator<Item = &'a Range>) -> Vec<(&'a Range, &'a Range)> {
    let mut sorted: Vec<_> = ranges.collect();
    sorted.sort_by_key(|range| (range.family == Family::V6, range.start));
    let mut found = Vec::new();
    let mut longest: Option<&Range> = None;
    for range in sorted {
        let before = longest.filter(|before| before.family == range.family);
        if let Some(before) = before.filter(|before| range.start <= before.end) {
            found.push((before, range));
        }
        if before.is_none_or(|before| before.end < range.end) {
            longest = Some(range);
        }
    }
    found
}
