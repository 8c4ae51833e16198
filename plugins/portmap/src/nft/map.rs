//! The maps: for one family, for single ports or intervals, for one address of the host or all of them, for one set of
//! conditions, and for one layer.

use cni_types::Family;

/// One of the maps.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Map {
    pub(super) family: Family,
    pub(super) by_host_ip: bool,
    pub(super) ranges: bool,
    /// The hash of the conditions; empty for mappings without.
    pub(super) class: String,
    /// 1, or higher for a port that another attachment of the same container has in the layers before.
    pub(super) layer: u8,
}

impl Map {
    /// The maps of one family, one set of conditions and one layer, in the order they are looked into: the address
    /// named wins over all addresses, the single port over the interval.
    pub(super) fn all(family: Family, class: &str, layer: u8) -> [Self; 4] {
        [(true, false), (true, true), (false, false), (false, true)].map(|(by_host_ip, ranges)| Self {
            family,
            by_host_ip,
            ranges,
            class: class.to_owned(),
            layer,
        })
    }

    /// Whether it is of the first layer and for mappings without conditions.
    pub(super) fn is_plain(&self) -> bool {
        self.layer == 1 && self.class.is_empty()
    }

    pub(super) fn name(&self) -> String {
        let host = if self.by_host_ip { "host_" } else { "" };
        let kind = if self.ranges { "ranges" } else { "ports" };
        let version = self.family.version();
        let class = if self.class.is_empty() { String::new() } else { format!("_{}", self.class) };
        let layer = if self.layer > 1 { format!(".{}", self.layer) } else { String::new() };
        format!("{host}{kind}{version}{class}{layer}")
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        let (first, layer) = match name.split_once('.') {
            Some((first, layer)) => (first, layer.parse().ok().filter(|layer| *layer > 1)?),
            None => (name, 1),
        };
        let (by_host_ip, rest) = first.strip_prefix("host_").map_or((false, first), |rest| (true, rest));
        let (kind, class) = rest.split_once('_').unwrap_or((rest, ""));
        let (ranges, family) = match kind {
            "ports4" => (false, Family::V4),
            "ports6" => (false, Family::V6),
            "ranges4" => (true, Family::V4),
            "ranges6" => (true, Family::V6),
            _ => return None,
        };
        Some(Self { family, by_host_ip, ranges, class: class.to_owned(), layer })
    }

    /// Those among the names of sets.
    pub(super) fn among(sets: &[String]) -> impl Iterator<Item = Self> {
        sets.iter().filter_map(|name| Self::parse(name))
    }

    /// Its declaration in the layout.
    pub(super) fn declaration(&self) -> String {
        let address = format!("ipv{}_addr", self.family.version());
        let host = if self.by_host_ip { format!("{address} . ") } else { String::new() };
        let data = if self.ranges { "; flags interval" } else { " . inet_service" };
        format!("map {} {{ type {host}inet_proto . inet_service : {address}{data}; }}", self.name())
    }

    /// The rule that looks into it, of packets that satisfy the conditions.
    pub(super) fn rule(&self, conditions: &str) -> String {
        let ip = if self.family == Family::V4 { "ip" } else { "ip6" };
        let host = if self.by_host_ip { format!("{ip} daddr . ") } else { String::new() };
        format!(
            "meta nfproto ipv{} {conditions} dnat {ip} to {host}meta l4proto . th dport map @{}",
            self.family.version(),
            self.name()
        )
    }
}
