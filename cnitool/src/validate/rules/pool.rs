//! What `host-local` gives addresses from.

use std::net::IpAddr;

use cni_types::{Cidr, ip_number};

use super::gateway::gateway_in;
use super::range::{self, Range};
use crate::validate::document::{Node, Value};
use crate::validate::finding::{Sheet, Spot};
use crate::validate::network::Plugin;

/// Checks its ranges; gives those that are ones.
pub(super) fn check(sheet: &mut Sheet, plugin: &Plugin, ipam: &Node, spot: &Spot) -> Vec<Range> {
    let mut found = Vec::new();
    if let Some(subnet) = ipam.get("subnet") {
        if subnet.text() == Some("") {
            sheet.error(
                "bad-value",
                &spot.key(ipam, "subnet"),
                "it is empty, but must be a network; leave it out",
            );
        }
        found.extend(one_range(sheet, plugin, ipam, spot));
    }
    let Some(sets) = ipam.get("ranges") else { return found };
    let at_sets = spot.key(ipam, "ranges");
    for (index, set) in sets.items().iter().enumerate() {
        let at_set = at_sets.item(index, set);
        if matches!(&set.value, Value::List(ranges) if ranges.is_empty()) {
            sheet.error(
                "bad-range",
                &at_set,
                "there is no range in the set: write one, or leave the set out",
            );
        }
        let mut family = None;
        for (index, keys) in set.items().iter().enumerate().filter(|(_, keys)| keys.is_object()) {
            let at = at_set.item(index, keys);
            let Some(range) = one_range(sheet, plugin, keys, &at) else { continue };
            if family.is_some_and(|family| family != range.family) {
                let text =
                    "one set has IPv4 and IPv6: give each a set of its own, and containers get one of both";
                sheet.error("bad-range", &at.key(keys, "subnet"), text);
            }
            family = Some(range.family);
            found.push(range);
        }
    }
    for (one, other) in range::overlaps(found.iter()) {
        let is_later = one.spot.place.start > other.spot.place.start;
        let (one, other) = if is_later { (other, one) } else { (one, other) };
        let text = format!("the ranges of {} and {} overlap", one.text(), other.text());
        sheet.error("overlap", &other.spot, text);
    }
    found
}

/// `None` where something in it is no address; that is told with its key.
fn one_range(sheet: &mut Sheet, plugin: &Plugin, keys: &Node, spot: &Spot) -> Option<Range> {
    let subnet: Cidr = keys.text_of("subnet")?.parse().ok()?;
    let at = spot.key(keys, "subnet");
    let longest = subnet.family().bits() - 2;
    if subnet.prefix() > longest {
        let text =
            format!("{subnet} is too small to give addresses from: the prefix length must be 0–{longest}");
        sheet.error("bad-range", &at, text);
        return None;
    }
    if subnet.ip() != subnet.network() {
        sheet
            .error("bad-range", &at, format!("{subnet} has host bits set"))
            .meaning(&subnet.masked().to_string());
        return None;
    }
    let (first, last) = (ip_number(subnet.network()) + 1, ip_number(subnet.last()));
    let last = if subnet.is_ipv4() { last.saturating_sub(1) } else { last };
    let mut ends = [first, last];
    for (key, end) in ["rangeStart", "rangeEnd"].into_iter().zip(&mut ends) {
        let Some(ip) = keys.ip_of(key) else { continue };
        if !subnet.contains(ip) {
            let text = format!("{ip} is outside {subnet}: it must be {}–{}", subnet.network(), subnet.last());
            sheet.error("bad-range", &spot.key(keys, key), text);
            return None;
        }
        *end = ip_number(ip);
    }
    let [start, end] = ends;
    if start > end {
        let text = "the range ends before it starts: swap rangeStart and rangeEnd";
        let key = if keys.get("rangeStart").is_some() { "rangeStart" } else { "rangeEnd" };
        sheet.error("bad-range", &spot.key(keys, key), text);
        return None;
    }
    if !usable(sheet, subnet, &at) {
        return None;
    }
    edges(sheet, subnet, keys, spot);
    let given = keys.ip_of("gateway");
    if let Some(gateway) = given {
        gateway_in(sheet, plugin.kind(), gateway, subnet, &spot.key(keys, "gateway"));
    }
    let gateway = given.map_or(first, ip_number);
    if (start, end) == (gateway, gateway) {
        let key = if keys.get("rangeEnd").is_some() { "rangeEnd" } else { "subnet" };
        let text = "the gateway has the range's only address: no container gets one";
        sheet.error("bad-range", &spot.key(keys, key), text);
    }
    Some(Range { family: subnet.family(), start, end, gateway, subnet, spot: at })
}

/// The ends that are given are handed out, whoever may use them.
fn edges(sheet: &mut Sheet, subnet: Cidr, keys: &Node, spot: &Spot) {
    for (key, edge, what) in [
        ("rangeStart", subnet.network(), "is the network itself"),
        ("rangeEnd", subnet.last(), "is the broadcast address"),
    ] {
        if subnet.is_ipv4() && keys.ip_of(key) == Some(edge) {
            let text = format!("{edge} {what}, and a container would get it");
            sheet.warn("bad-value", &spot.key(keys, key), text);
        }
    }
}

/// Whether containers can be reached by addresses of that kind at all.
pub(super) fn usable(sheet: &mut Sheet, addresses: Cidr, at: &Spot) -> bool {
    let ip = addresses.ip();
    let what = match ip {
        _ if ip.is_multicast() => "are those of groups, and no interface's",
        _ if ip.is_loopback() => "are those of lo, and nobody else reaches them",
        _ if ip.is_unspecified() && addresses.prefix() > 0 => "are nobody's",
        IpAddr::V6(ip) if ip.is_unicast_link_local() => {
            sheet.warn("bad-value", at, format!("the addresses of {addresses} are not routed: write others"));
            return true;
        }
        _ => return true,
    };
    sheet.error("bad-range", at, format!("the addresses of {addresses} {what}: write others"));
    false
}
