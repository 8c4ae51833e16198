//! Routes that do not fit the addresses they are for.

use cni_types::{Cidr, Family, ip_number};

use super::range::Range;
use crate::validate::document::Node;
use crate::validate::finding::{Sheet, Spot};
use crate::validate::network::Plugin;

fn destination(route: &Node) -> Option<Cidr> {
    route.text_of("dst").and_then(|text| text.parse().ok())
}

pub(super) fn check(sheet: &mut Sheet, ipam: &Node, spot: &Spot, networks: &[Cidr], is_known: bool) {
    let Some(list) = ipam.get("routes") else { return };
    let at_list = spot.key(ipam, "routes");
    for (index, route) in list.items().iter().enumerate() {
        let at = at_list.item(index, route);
        let dst = destination(route);
        if let Some(dst) = dst.filter(|dst| dst.ip() != dst.network()) {
            let text = format!("{dst} has host bits set, which say nothing");
            sheet.warn("bad-route", &at.key(route, "dst"), text).meaning(&dst.masked().to_string());
        }
        let Some(gateway) = route.ip_of("gw") else { continue };
        let at = at.key(route, "gw");
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

/// With `isDefaultGateway` there is a default route already.
pub(super) fn beside_gateway(sheet: &mut Sheet, plugin: &Plugin, ipam: &Node, spot: &Spot, ranges: &[Range]) {
    let Some(list) = ipam.get("routes").filter(|_| plugin.node().is_true("isDefaultGateway")) else { return };
    let at_list = spot.key(ipam, "routes");
    for (index, route) in list.items().iter().enumerate() {
        let is_default = destination(route).is_some_and(|dst| dst.prefix() == 0);
        let Some(gateway) = route.ip_of("gw").filter(|_| is_default) else { continue };
        let own = ranges.iter().find(|range| range.family == Family::of(gateway));
        if own.is_some_and(|range| range.gateway != ip_number(gateway)) {
            let at = at_list.item(index, route).key(route, "gw");
            let text =
                format!("isDefaultGateway makes another default route than by {gateway}: leave one out");
            sheet.error("excludes-key", &at, text).meant = Some("isDefaultGateway".to_owned());
        }
    }
}
