//! How many addresses host-local's ranges have.

use std::net::IpAddr;

use cni_types::{Cidr, Json, ip_number};

use crate::conflist::NetworkList;

/// One range that host-local gives addresses out of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Range {
    /// The subnet, and where it is a part of it, its ends.
    pub(super) name: String,
    first: u128,
    last: u128,
    is_ipv4: bool,
    gateway: u128,
}

impl Range {
    /// Those of the network's configuration. What makes no sense has none: STATUS says why.
    pub(super) fn of(list: &NetworkList) -> Vec<Self> {
        let mut ranges = Vec::new();
        for plugin in &list.plugins {
            let Some(ipam) = plugin.object.get("ipam") else { continue };
            if ipam.get_str("type") != Some("host-local") {
                continue;
            }
            ranges.extend(Self::read(ipam));
            let Some(Json::Array(sets)) = ipam.get("ranges") else { continue };
            for set in sets {
                if let Json::Array(set) = set {
                    ranges.extend(set.iter().filter_map(Self::read));
                }
            }
        }
        ranges
    }

    fn read(json: &Json) -> Option<Self> {
        let subnet: Cidr = json.get_str("subnet")?.parse().ok()?;
        let ip = |key: &str| json.get_str(key)?.parse::<IpAddr>().ok();
        let (start, end) = (ip("rangeStart"), ip("rangeEnd"));
        let name = match (start, end) {
            (None, None) => format!("{}/{}", subnet.network(), subnet.prefix()),
            _ => {
                let text = |ip: Option<IpAddr>| ip.map(|ip| ip.to_string()).unwrap_or_default();
                format!("{}/{} {}-{}", subnet.network(), subnet.prefix(), text(start), text(end))
            }
        };
        let is_ipv4 = subnet.is_ipv4();
        // The network's own address is nobody's, nor is the broadcast address.
        let lowest = ip_number(subnet.network()) + 1;
        let highest = ip_number(subnet.last()) - u128::from(is_ipv4);
        Some(Self {
            name,
            first: start.map_or(lowest, ip_number).max(lowest),
            last: end.map_or(highest, ip_number).min(highest),
            is_ipv4,
            gateway: ip("gateway").map_or(lowest, ip_number),
        })
    }

    /// How many it can give.
    pub(super) fn size(&self) -> u128 {
        let all = (self.last + 1).saturating_sub(self.first);
        let is_in = (self.first..=self.last).contains(&self.gateway);
        all.saturating_sub(u128::from(is_in))
    }

    /// Whether the address is one of them.
    pub(super) fn contains(&self, ip: IpAddr) -> bool {
        ip.is_ipv4() == self.is_ipv4 && (self.first..=self.last).contains(&ip_number(ip))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(ipam: &str) -> Vec<(String, u128)> {
        let text =
            format!(r#"{{"cniVersion":"1.1.0","name":"n","plugins":[{{"type":"bridge","ipam":{ipam}}}]}}"#);
        let ranges = Range::of(&NetworkList::parse(text.as_bytes()).unwrap());
        ranges.into_iter().map(|range| (range.name.clone(), range.size())).collect()
    }

    #[test]
    fn ranges_have_what_host_local_can_give() {
        let single = |name: &str, size| vec![(name.to_owned(), size)];
        assert_eq!(of(r#"{"type":"host-local","subnet":"10.1.2.0/24"}"#), single("10.1.2.0/24", 253));
        assert_eq!(of(r#"{"type":"host-local","subnet":"10.1.2.0/30"}"#), single("10.1.2.0/30", 1));
        let part = r#"{"type":"host-local","ranges":[[{"subnet":"10.1.2.0/24","rangeStart":"10.1.2.10","rangeEnd":"10.1.2.19"}],
            [{"subnet":"fd00::/64"}]]}"#;
        let v6 = (1u128 << 64) - 2;
        assert_eq!(
            of(part),
            [("10.1.2.0/24 10.1.2.10-10.1.2.19".to_owned(), 10), ("fd00::/64".to_owned(), v6)]
        );
        assert_eq!(of(r#"{"type":"host-local","subnet":"nonsense"}"#), []);
        assert_eq!(of(r#"{"type":"dhcp","subnet":"10.1.2.0/24"}"#), []);
    }
}
