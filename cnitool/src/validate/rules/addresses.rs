//! Addresses, ranges, gateways and routes that do not fit together.

use std::net::IpAddr;

use cni_types::{Cidr, Family, ip_number, parse_ip};

use super::range::{self, Range};
use crate::validate::document::Node;
use crate::validate::finding::{Sheet, Spot};
use crate::validate::network::Plugin;

/// Checks what the IPAM plugin is told; gives the ranges it gives addresses from.
pub(super) fn check(sheet: &mut Sheet, plugin: &Plugin) -> Vec<Range> {
    let Some(ipam) = plugin.ipam() else { return Vec::new() };
    let spot = plugin.spot_of("ipam");
    let (ranges, networks) = match plugin.ipam_kind() {
        Some("host-local") => {
            let ranges = host_local(sheet, plugin, ipam, &spot);
            let networks = ranges.iter().map(|range| range.subnet).collect();
            (ranges, networks)
        }
        Some("static") => (Vec::new(), addresses(sheet, ipam, &spot)),
        _ => return Vec::new(),
    };
    // Where the runtime gives the addresses their networks are not known, and ptp's gateways need not be in them.
    let is_known = !["ips", "ipRanges"].into_iter().any(|name| plugin.has_capability(name));
    routes(sheet, ipam, &spot, &networks, is_known && plugin.kind() != "ptp");
    ranges
}

fn host_local(sheet: &mut Sheet, plugin: &Plugin, ipam: &Node, spot: &Spot) -> Vec<Range> {
    let mut found = Vec::new();
    if ipam.get("subnet").is_some() {
        found.extend(one_range(sheet, plugin, ipam, spot));
    }
    let Some(sets) = ipam.get("ranges") else { return found };
    let at_sets = spot.key(ipam, "ranges");
    for (index, set) in sets.items().iter().enumerate() {
        let at_set = at_sets.item(index, set);
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

fn ip(node: &Node, key: &str) -> Option<IpAddr> {
    node.text_of(key).and_then(parse_ip)
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
        let Some(ip) = ip(keys, key) else { continue };
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
    if let Some(gateway) = ip(keys, "gateway") {
        gateway_in(sheet, plugin.kind(), gateway, subnet, &spot.key(keys, "gateway"));
    }
    Some(Range { family: subnet.family(), start, end, subnet, spot: at })
}

/// A pair without a bridge has a route to its gateway wherever that is.
fn gateway_in(sheet: &mut Sheet, plugin: &str, gateway: IpAddr, subnet: Cidr, at: &Spot) {
    let is_edge = subnet.is_ipv4() && [subnet.network(), subnet.last()].contains(&gateway);
    if !subnet.contains(gateway) {
        let text = format!("the gateway {gateway} is outside {subnet}: no container reaches it");
        match plugin {
            "ptp" => {
                sheet.warn("gateway-outside-subnet", at, format!("the gateway {gateway} is outside {subnet}"))
            }
            _ => sheet.error("gateway-outside-subnet", at, text),
        };
    } else if is_edge && subnet.prefix() < 31 {
        sheet.warn("bad-value", at, format!("{gateway} is no host's address in {subnet}"));
    }
}

/// The networks of static addresses.
fn addresses(sheet: &mut Sheet, ipam: &Node, spot: &Spot) -> Vec<Cidr> {
    let Some(list) = ipam.get("addresses") else { return Vec::new() };
    let at_list = spot.key(ipam, "addresses");
    let mut networks = Vec::new();
    for (index, item) in list.items().iter().enumerate() {
        let at = at_list.item(index, item);
        let Some(address) = item.text_of("address").and_then(|text| text.parse::<Cidr>().ok()) else {
            continue;
        };
        networks.push(address);
        let hosts = address.family().bits() - address.prefix();
        if hosts > 1 && address.ip() == address.network() {
            let text = format!("{address} is the network itself and no host's address in it");
            sheet.warn("bad-value", &at.key(item, "address"), text);
        }
        if let Some(gateway) = ip(item, "gateway") {
            gateway_in(sheet, "static", gateway, address.masked(), &at.key(item, "gateway"));
        }
    }
    networks
}

fn routes(sheet: &mut Sheet, ipam: &Node, spot: &Spot, networks: &[Cidr], is_known: bool) {
    let Some(list) = ipam.get("routes") else { return };
    let at_list = spot.key(ipam, "routes");
    for (index, route) in list.items().iter().enumerate() {
        let at = at_list.item(index, route);
        let Some(gateway) = ip(route, "gw") else { continue };
        let at = at.key(route, "gw");
        let dst = route.text_of("dst").and_then(|text| text.parse::<Cidr>().ok());
        if let Some(dst) = dst.filter(|dst| dst.family() != Family::of(gateway)) {
            sheet.error("bad-route", &at, format!("{gateway} and {dst} are of different address families"));
        } else if is_known
            && !networks.is_empty()
            && !networks.iter().any(|network| network.contains(gateway))
        {
            let all =
                networks.iter().map(|network| network.masked().to_string()).collect::<Vec<_>>().join(", ");
            let text = format!("the route's gateway {gateway} is in no network of the addresses: {all}");
            sheet.warn("gateway-outside-subnet", &at, text);
        }
    }
}
