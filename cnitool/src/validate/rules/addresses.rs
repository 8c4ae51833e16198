//! Addresses and gateways that do not fit together.

use cni_types::Cidr;

use super::gateway::gateway_in;
use super::range::Range;
use super::{pool, routes};
use crate::validate::document::Node;
use crate::validate::finding::{Sheet, Spot};
use crate::validate::network::Plugin;

/// The least MTU of a link with IPv6, in bytes (RFC 8200, section 5).
const IPV6_MTU: i64 = 1280;

/// Checks what the IPAM plugin is told; gives the ranges it gives addresses from.
pub(super) fn check(sheet: &mut Sheet, plugin: &Plugin) -> Vec<Range> {
    let Some(ipam) = plugin.ipam() else { return Vec::new() };
    let spot = plugin.spot_of("ipam");
    let (ranges, networks) = match plugin.ipam_kind() {
        Some("host-local") => {
            let ranges = pool::check(sheet, plugin, ipam, &spot);
            let networks = ranges.iter().map(|range| range.subnet).collect();
            (ranges, networks)
        }
        Some("static") => (Vec::new(), addresses(sheet, ipam, &spot)),
        _ => return Vec::new(),
    };
    mtu(sheet, plugin, &networks);
    // Where the runtime gives the addresses their networks are not known, and ptp's gateways need not be in them.
    let is_known = !["ips", "ipRanges"].into_iter().any(|name| plugin.has_capability(name));
    routes::check(sheet, ipam, &spot, &networks, is_known && plugin.kind() != "ptp");
    routes::beside_gateway(sheet, plugin, ipam, &spot, &ranges);
    ranges
}

/// The kernel takes IPv6 off a link whose MTU is too small for it, and then refuses the address.
fn mtu(sheet: &mut Sheet, plugin: &Plugin, networks: &[Cidr]) {
    let mtu = plugin.node().get("mtu").and_then(Node::number).filter(|mtu| (1..IPV6_MTU).contains(mtu));
    let six = networks.iter().find(|network| !network.is_ipv4());
    if let (Some(mtu), Some(six)) = (mtu, six) {
        let text = format!("{mtu} is too small for the addresses of {six}: IPv6 needs {IPV6_MTU} at least");
        sheet.error("out-of-range", &plugin.spot_of("mtu"), text);
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
        pool::usable(sheet, address, &at.key(item, "address"));
        let hosts = address.family().bits() - address.prefix();
        if hosts > 1 && address.ip() == address.network() {
            let text = format!("{address} is the network itself and no host's address in it");
            sheet.warn("bad-value", &at.key(item, "address"), text);
        }
        if let Some(gateway) = item.ip_of("gateway") {
            gateway_in(sheet, "static", gateway, address.masked(), &at.key(item, "gateway"));
        }
    }
    networks
}
