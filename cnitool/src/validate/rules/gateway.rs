//! Gateways outside the networks they are for.

use std::net::IpAddr;

use cni_types::Cidr;

use crate::validate::finding::{Sheet, Spot};

/// A pair without a bridge has a route to its gateway wherever that is.
pub(super) fn gateway_in(sheet: &mut Sheet, plugin: &str, gateway: IpAddr, subnet: Cidr, at: &Spot) {
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
