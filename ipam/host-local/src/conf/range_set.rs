//! Sets of ranges: one address is given out of each set.

use std::fmt;
use std::net::IpAddr;

use cni_types::{Doing, Error, Family, Result, ip_number, sort_and_dedup};

use super::range::{Range, RangeKeys};

/// Ranges of one family that share no address: one pool. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RangeSet(Vec<Range>);

impl RangeSet {
    /// # Errors
    /// Code 7 for an empty set, mixed families, overlapping or invalid ranges.
    pub(crate) fn new(keys: &[RangeKeys]) -> Result<Self> {
        let ranges = keys.iter().map(Range::new).collect::<Result<Vec<_>>>()?;
        let Some(first) = ranges.first() else { return Err(Error::config("empty range set")) };
        if ranges.iter().any(|r| r.family() != first.family()) {
            return Err(Error::config("mixed address families")
                .because("give IPv4 and IPv6 a range set each to get an address of both"));
        }
        for (i, one) in ranges.iter().enumerate() {
            if let Some(other) = ranges.iter().skip(i + 1).find(|other| one.overlaps(other)) {
                return Err(Error::config(format!("subnets {one} and {other} overlap")));
            }
        }
        Ok(Self(ranges))
    }

    pub(crate) fn ranges(&self) -> &[Range] {
        &self.0
    }

    pub(crate) fn is_ipv4(&self) -> bool {
        self.0.iter().any(|range| range.family() == Family::V4)
    }

    /// The range `ip` lies in.
    pub(crate) fn find(&self, ip: IpAddr) -> Option<&Range> {
        self.0.iter().find(|range| range.contains(ip))
    }

    /// Whether `ip` is a gateway of the set: such an address is never given out.
    pub(crate) fn is_gateway(&self, ip: IpAddr) -> bool {
        self.0.iter().any(|range| range.gateway() == ip)
    }

    /// How many addresses the set can give out, gateways left out.
    pub(crate) fn capacity(&self) -> u128 {
        let all = self.0.iter().fold(0_u128, |sum, range| sum.saturating_add(range.size()));
        let mut gateways: Vec<_> =
            self.0.iter().map(Range::gateway).filter(|ip| self.find(*ip).is_some()).map(ip_number).collect();
        sort_and_dedup(&mut gateways);
        all.saturating_sub(gateways.len() as u128)
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.0.iter().any(|one| other.0.iter().any(|two| one.overlaps(two)))
    }
}

impl fmt::Display for RangeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, range) in self.0.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            write!(f, "{comma}{range}")?;
        }
        Ok(())
    }
}

/// All sets of a configuration, in the order that numbers them: the index is part of file names.
///
/// # Errors
/// Code 7 when there is none, one is invalid (its index is named), or two overlap.
pub(crate) fn range_sets(keys: &[Vec<RangeKeys>]) -> Result<Vec<RangeSet>> {
    if keys.is_empty() {
        return Err(Error::config("no IP ranges specified")
            .because("give ipam.ranges, such as [[{\"subnet\": \"10.1.0.0/16\"}]], or ipam.subnet"));
    }
    let mut sets: Vec<RangeSet> = Vec::with_capacity(keys.len());
    for (i, keys) in keys.iter().enumerate() {
        let set = RangeSet::new(keys).doing(format!("invalid range set {i}"))?;
        if let Some(j) = sets.iter().position(|earlier| earlier.overlaps(&set)) {
            return Err(Error::config(format!("range set {j} overlaps with {i}"))
                .because(format!("{} and {set}", sets[j])));
        }
        sets.push(set);
    }
    Ok(sets)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sets(subnets: &[&[&str]]) -> Result<Vec<RangeSet>> {
        let keys =
            |subnet: &&str| RangeKeys { subnet: Some(subnet.parse().unwrap()), ..RangeKeys::default() };
        range_sets(&subnets.iter().map(|set| set.iter().map(keys).collect()).collect::<Vec<_>>())
    }

    #[test]
    fn bad_sets_are_named_by_their_index() {
        for (subnets, text) in [
            (&[][..], "no IP ranges specified"),
            (&[&[][..]], "invalid range set 0: empty range set"),
            (&[&["10.0.0.0/24", "2001:db8::/64"]], "invalid range set 0: mixed address families"),
            (
                &[&["10.0.0.0/24"], &["10.1.0.0/24", "10.1.0.0/25"]],
                "invalid range set 1: subnets 10.1.0.1-10.1.0.254 and 10.1.0.1-10.1.0.126 overlap",
            ),
            (&[&["10.0.0.0/24"], &["10.1.0.0/24"], &["10.0.0.0/16"]], "range set 0 overlaps with 2"),
        ] {
            let error = sets(subnets).unwrap_err();
            assert_eq!(error.code.0, 7);
            assert!(error.msg.starts_with(text), "{error}");
        }
    }

    #[test]
    fn a_set_is_one_pool_without_its_gateways() {
        let sets = sets(&[&["10.0.0.0/30", "10.0.1.0/30"], &["2001:db8::/126"]]).unwrap();
        assert_eq!(sets[0].to_string(), "10.0.0.1-10.0.0.2,10.0.1.1-10.0.1.2");
        assert_eq!((sets[0].capacity(), sets[1].capacity()), (2, 2));
        let ip = "10.0.1.1".parse().unwrap();
        assert!(sets[0].is_gateway(ip) && sets[0].find(ip).is_some() && sets[1].find(ip).is_none());
    }
}
