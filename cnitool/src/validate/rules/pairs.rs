//! Keys that mean nothing, or something else, beside others.

use crate::validate::document::Node;
use crate::validate::finding::Sheet;
use crate::validate::network::Plugin;

pub(super) fn check(sheet: &mut Sheet, plugin: &Plugin) {
    ipam(sheet, plugin);
    match plugin.kind() {
        "bridge" => bridge(sheet, plugin),
        "ptp" => backend(sheet, plugin),
        "portmap" => portmap(sheet, plugin),
        "tuning" => tuning(sheet, plugin),
        "vlan" if plugin.node().get("vlanId").is_none() => {
            let text = "the key vlanId is missing: without it packets carry a priority and no VLAN";
            sheet.warn("missing-key", &plugin.head(), text).meant = Some("vlanId".to_owned());
        }
        _ => {}
    }
}

fn says(plugin: &Plugin, key: &str) -> bool {
    plugin.node().get(key).is_some_and(Node::says_something)
}

/// An object that names no plugin is as good as none.
fn ipam(sheet: &mut Sheet, plugin: &Plugin) {
    let Some(ipam) = plugin.ipam().filter(|ipam| ipam.says_something()) else { return };
    if plugin.ipam_kind().is_none() {
        let spot = plugin.spot_of("ipam");
        let at = spot.at(&(spot.place.start..spot.place.start + 1));
        let guess = match () {
            () if ipam.get("addresses").is_some() => "static",
            () => "host-local",
        };
        let text =
            format!("the key type is missing, and without it there is no IPAM: write \"type\": \"{guess}\"");
        sheet.error("missing-key", &at, text).meant = Some("type".to_owned());
    }
}

fn bridge(sheet: &mut Sheet, plugin: &Plugin) {
    backend(sheet, plugin);
    if !plugin.ipam().is_some_and(Node::says_something) {
        for key in ["isGateway", "isDefaultGateway", "ipMasq"] {
            if let Some(member) = plugin.node().member(key).filter(|member| member.node.says_something()) {
                let spot = plugin.spot().member(key, &member.key.place);
                sheet
                    .warn("needs-ipam", &spot, format!("{key} means nothing without addresses: add ipam"))
                    .meant = Some("ipam".to_owned());
            }
        }
    }
    for (key, needs) in
        [("preserveDefaultVlan", ["vlan", "vlanTrunk"]), ("forceAddress", ["isGateway", "isDefaultGateway"])]
    {
        if says(plugin, key) && !needs.iter().any(|needed| says(plugin, needed)) {
            let text = format!("{key} means nothing without {} or {}", needs[0], needs[1]);
            sheet.warn("needs-key", &plugin.spot_of(key), text).meant = Some(needs[0].to_owned());
        }
    }
    trunk(sheet, plugin);
}

fn trunk(sheet: &mut Sheet, plugin: &Plugin) {
    let Some(trunk) = plugin.node().get("vlanTrunk") else { return };
    let spot = plugin.spot_of("vlanTrunk");
    for (index, entry) in trunk.items().iter().enumerate().filter(|(_, entry)| entry.is_object()) {
        let spot = spot.item(index, entry);
        let number = |key: &str| entry.get(key).and_then(Node::number);
        if ["id", "minID", "maxID"].into_iter().all(|key| entry.get(key).is_none()) {
            let at = spot.at(&(spot.place.start..spot.place.start + 1));
            sheet.error("missing-key", &at, "an entry needs id, or minID and maxID").meant =
                Some("id".to_owned());
        }
        if let (Some(first), Some(last)) = (number("minID"), number("maxID")) {
            if last < first {
                let text = format!("maxID {last} is below minID {first}: swap them");
                sheet.error("bad-range", &spot.key(entry, "maxID"), text);
            }
        }
    }
}

fn backend(sheet: &mut Sheet, plugin: &Plugin) {
    if says(plugin, "ipMasqBackend") && !plugin.node().is_true("ipMasq") {
        let text = "ipMasqBackend means nothing without ipMasq";
        sheet.warn("needs-key", &plugin.spot_of("ipMasqBackend"), text).meant = Some("ipMasq".to_owned());
    }
}

fn portmap(sheet: &mut Sheet, plugin: &Plugin) {
    let node = plugin.node();
    if says(plugin, "masqAll") && node.get("snat").is_some_and(|snat| !snat.says_something()) {
        let text = "masqAll means nothing when snat is false";
        sheet.warn("needs-key", &plugin.spot_of("masqAll"), text).meant = Some("snat".to_owned());
    }
    let backend = node.text_of("backend");
    for key in ["conditionsV4", "conditionsV6"] {
        let first = node.get(key).and_then(|words| words.items().first()).and_then(Node::text);
        let Some(word) = first.filter(|word| !word.is_empty()) else { continue };
        let theirs = if word.starts_with(['-', '!']) { "iptables" } else { "nftables" };
        if let Some(backend) = backend.filter(|backend| *backend != theirs) {
            let text = format!("these are words of {theirs}, and the backend is {backend}");
            sheet.error("excludes-key", &plugin.spot_of(key), text);
        }
    }
    for key in ["externalSetMarkChain", "markMasqBit"] {
        if says(plugin, key) && backend == Some("nftables") {
            let text = format!("{key} is for iptables, and the backend is nftables");
            // The plugin refuses the chain and lets the bit be.
            match key {
                "markMasqBit" => sheet.warn("excludes-key", &plugin.spot_of(key), text),
                _ => sheet.error("excludes-key", &plugin.spot_of(key), text),
            };
        }
    }
}

/// Only sysctls of the network belong to the container.
fn tuning(sheet: &mut Sheet, plugin: &Plugin) {
    let Some(sysctls) = plugin.node().get("sysctl") else { return };
    let spot = plugin.spot_of("sysctl");
    for member in sysctls.members().iter().filter(|member| !member.node.is_null()) {
        let key = &member.key.text;
        if !key.starts_with("net.") && !key.starts_with("net/") {
            let text = "it is no network sysctl: those start with net.";
            sheet.error("bad-value", &spot.member(key, &member.key.place), text);
        }
    }
}
