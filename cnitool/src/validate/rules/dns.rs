//! Resolver settings that no resolver could use.

use cni_types::{excerpt, parse_ip};

use crate::validate::document::Node;
use crate::validate::finding::{Sheet, Spot};
use crate::validate::network::Plugin;

pub(super) fn check(sheet: &mut Sheet, plugin: &Plugin) {
    let spot = plugin.spot();
    settings(sheet, &spot, plugin.node());
    if let Some(ipam) = plugin.ipam().filter(|_| plugin.ipam_kind() == Some("static")) {
        settings(sheet, &spot.key(plugin.node(), "ipam"), ipam);
    }
}

fn settings(sheet: &mut Sheet, spot: &Spot, node: &Node) {
    let Some(dns) = node.get("dns") else { return };
    let spot = spot.key(node, "dns");
    for (key, what) in [("nameservers", "an IP address"), ("search", "one domain")] {
        let Some(list) = dns.get(key) else { continue };
        let spot = spot.key(dns, key);
        for (index, item) in list.items().iter().enumerate() {
            let Some(text) = item.text() else { continue };
            let is_fine = match key {
                "nameservers" => parse_ip(text).is_some(),
                _ => !text.is_empty() && !text.contains([' ', ',', ';', '/']),
            };
            if !is_fine {
                sheet.warn("bad-value", &spot.item(index, item), format!("{} is not {what}", excerpt(text)));
            }
        }
    }
}
