use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use cni_types::OptionalIp;

use crate::conf::RangeKeys;

fn set(ranges: &[(&str, &str, &str)]) -> RangeSet {
    let ip = |text: &str| text.parse().unwrap();
    let keys: Vec<_> = ranges
        .iter()
        .map(|(subnet, start, end)| RangeKeys {
            subnet: Some(subnet.parse().unwrap()),
            range_start: ip(start),
            range_end: ip(end),
            gateway: OptionalIp(None),
        })
        .collect();
    RangeSet::new(&keys).unwrap()
}

fn order(set: &RangeSet, last: &str) -> Vec<String> {
    let last = (!last.is_empty()).then(|| last.parse().unwrap());
    Sequence::new(set, last).iter().map(|ip| ip.to_string()).collect()
}

#[test]
fn the_order_is_the_references() {
    let two = set(&[("10.0.0.0/29", "10.0.0.1", "10.0.0.3"), ("10.0.1.0/29", "10.0.1.2", "10.0.1.3")]);
    for (last, wanted) in [
        ("", "10.0.0.2 10.0.0.3 10.0.1.2 10.0.1.3"),
        ("10.9.9.9", "10.0.0.2 10.0.0.3 10.0.1.2 10.0.1.3"),
        ("::1", "10.0.0.2 10.0.0.3 10.0.1.2 10.0.1.3"),
        ("10.0.0.2", "10.0.0.3 10.0.1.2 10.0.1.3 10.0.0.2"),
        ("10.0.0.3", "10.0.1.2 10.0.1.3 10.0.0.2 10.0.0.3"),
        ("10.0.1.2", "10.0.1.3 10.0.0.2 10.0.0.3 10.0.1.2"),
        ("10.0.1.3", "10.0.0.2 10.0.0.3 10.0.1.2 10.0.1.3"),
        ("10.0.0.1", "10.0.0.2 10.0.0.3 10.0.1.2 10.0.1.3"),
    ] {
        assert_eq!(order(&two, last).join(" "), wanted, "last {last:?}");
    }
}

#[test]
fn the_ends_of_the_address_space_are_ends() {
    let v4 = set(&[("255.255.255.252/30", "255.255.255.254", "255.255.255.255")]);
    assert_eq!(order(&v4, "255.255.255.254"), ["255.255.255.255", "255.255.255.254"]);
    assert_eq!(order(&v4, "255.255.255.255"), ["255.255.255.254", "255.255.255.255"]);
    let all_ones = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
    let v6 = set(&[("ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffc/126", "", "")]);
    assert_eq!(order(&v6, "")[1], all_ones);
    let huge = set(&[("2001:db8::/32", "", "")]);
    assert_eq!(Sequence::new(&huge, None).iter().next().unwrap().to_string(), "2001:db8::2");
}

#[test]
fn the_smallest_subnet_has_one_address() {
    assert_eq!(order(&set(&[("10.0.0.0/30", "", "")]), ""), ["10.0.0.2"]);
}

#[test]
fn past_the_window_and_outside_the_set_nothing_counts_as_taken() {
    let set = set(&[("10.0.0.0/8", "", "")]);
    let order = Sequence::new(&set, None);
    let mut taken = Taken::default();
    ["::ffff:a00:2", "10.0.0.2", "11.0.0.1", "10.255.255.254"]
        .iter()
        .for_each(|ip| order.take(&mut taken, ip.parse().unwrap()));
    let free: Vec<_> = order.free(&taken).collect();
    assert_eq!((free.len(), free[0].to_string()), ((1 << 24) - 4, "10.0.0.3".to_owned()));
    assert_eq!(free.last().unwrap().to_string(), "10.255.255.254");
}

/// One to three ranges of up to 60 addresses in 10.<i>.0.0/24, and a pointer in, near or outside them.
fn sets() -> impl Strategy<Value = (RangeSet, Option<IpAddr>)> {
    let range = (0_u8..200, 0_u8..55, 0_u8..=255);
    let pointer = prop::option::of((0_u8..4, 0_u8..=255));
    (prop::collection::vec(range, 1..4), pointer).prop_map(|(ranges, pointer)| {
        let keys: Vec<_> = (0_u8..)
            .zip(ranges)
            .map(|(i, (start, length, gateway))| RangeKeys {
                subnet: Some(format!("10.{i}.0.0/24").parse().unwrap()),
                range_start: OptionalIp(Some([10, i, 0, start].into())),
                range_end: OptionalIp(Some([10, i, 0, start + length].into())),
                gateway: OptionalIp(Some([10, i, 0, gateway].into())),
            })
            .collect();
        (RangeSet::new(&keys).unwrap(), pointer.map(|(i, host)| [10, i, 0, host].into()))
    })
}

proptest! {
    #[test]
    fn every_address_once_no_gateway_none_outside((set, last) in sets()) {
        let all: Vec<_> = Sequence::new(&set, last).iter().collect();
        prop_assert!(all.iter().all(|ip| set.find(*ip).is_some() && !set.is_gateway(*ip)));
        prop_assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
        prop_assert_eq!(all.len() as u128, set.capacity());
    }

    #[test]
    fn the_last_free_address_is_found((set, last) in sets(), pick in any::<prop::sample::Index>()) {
        let all: Vec<_> = Sequence::new(&set, None).iter().collect();
        prop_assume!(!all.is_empty());
        let free = *pick.get(&all);
        let order = Sequence::new(&set, last);
        prop_assert_eq!(order.iter().find(|ip| *ip == free), Some(free));
        let mut taken = Taken::default();
        all.iter().filter(|ip| **ip != free).for_each(|ip| order.take(&mut taken, *ip));
        prop_assert_eq!(order.free(&taken).collect::<Vec<_>>(), [free]);
    }

    /// The reference's loop, step by step: one address on, at a range's end the next range, until the start is back.
    #[test]
    fn the_order_is_that_of_single_steps((set, last) in sets()) {
        let ranges = set.ranges();
        let step = |(i, ip): (usize, IpAddr)| {
            if ip == ranges[i].end() {
                let i = (i + 1) % ranges.len();
                (i, ranges[i].start())
            } else {
                (i, offset(ip, 1))
            }
        };
        let at = last.and_then(|ip| Some((ranges.iter().position(|r| r.contains(ip))?, ip)));
        let first = at.map_or_else(|| (0, ranges[0].start()), step);
        let mut wanted = vec![first.1];
        let mut next = step(first);
        while next != first {
            wanted.push(next.1);
            next = step(next);
        }
        wanted.retain(|ip| !set.is_gateway(*ip));
        prop_assert_eq!(Sequence::new(&set, last).iter().collect::<Vec<_>>(), wanted);
    }
}
