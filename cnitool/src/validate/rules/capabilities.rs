//! What a plugin asks the runtime for, and what it does nothing without.

use crate::known::{self, Known, Shape};
use crate::validate::document::Node;
use crate::validate::finding::{Sheet, Spot};
use crate::validate::network::Plugin;
use crate::validate::similar::similar;

pub(super) fn check(sheet: &mut Sheet, plugin: &Plugin) {
    let taken = taken(plugin);
    if let (Some(capabilities), Some(taken)) = (plugin.node().get("capabilities"), &taken) {
        let spot = plugin.spot().key(plugin.node(), "capabilities");
        for member in capabilities.members().iter().filter(|member| member.node.says_something()) {
            capability(
                sheet,
                &spot.member(&member.key.text, &member.key.place),
                &member.key.text,
                plugin,
                taken,
            );
        }
    }
    missing(sheet, plugin);
    missing_of_ipam(sheet, plugin);
}

/// The capabilities that the plugin or its IPAM plugin takes; `None` when a plugin of others may take any.
fn taken(plugin: &Plugin) -> Option<Vec<&'static str>> {
    let ipam = match plugin.ipam_kind() {
        Some(ipam) => Some(known::declared(ipam)?),
        None => None,
    };
    let declared = plugin.declared().filter(|declared| declared.plugin != "flannel")?;
    let known = known::of_plugin(declared, ipam);
    Some(known.into_iter().find(|known| known.key.name == "runtimeConfig").map(names).unwrap_or_default())
}

fn names(known: Known) -> Vec<&'static str> {
    let Shape::Object(keys) = known.shape else { return Vec::new() };
    keys.iter().map(|key| key.key.name).collect()
}

/// Who of this suite takes the capability.
fn takers(capability: &str) -> Vec<&'static str> {
    let all = known::plugins().into_iter().chain(known::IPAM);
    let takes = |plugin: &&str| {
        let known = known::declared(plugin).map(|declared| known::merge(declared.keys)).unwrap_or_default();
        let found = known.into_iter().find(|known| known.key.name == "runtimeConfig");
        found.map(names).unwrap_or_default().contains(&capability)
    };
    all.filter(takes).collect()
}

fn capability(sheet: &mut Sheet, at: &Spot, name: &str, plugin: &Plugin, taken: &[&'static str]) {
    const ALL: [&str; 6] = ["portMappings", "bandwidth", "ipRanges", "ips", "mac", "deviceID"];
    if taken.contains(&name) {
        return;
    }
    let who = plugin.kind();
    let takers = takers(name);
    if !takers.is_empty() {
        let text = format!("{who} takes no {name} from the runtime; {} does", takers.join(" or "));
        sheet.warn("unused-capability", at, text);
    } else if let Some(meant) =
        similar(name, taken.iter().copied()).or_else(|| similar(name, ALL.into_iter()))
    {
        sheet
            .error("unknown-capability", at, format!("{who} takes no {name} from the runtime"))
            .meaning(meant);
    }
}

/// What the plugin does nothing without.
fn missing(sheet: &mut Sheet, plugin: &Plugin) {
    let head = plugin.head();
    let says = |key: &str| plugin.node().get(key).is_some_and(Node::says_something);
    const RATES: [&str; 4] = ["ingressRate", "egressRate", "ingressBurst", "egressBurst"];
    match plugin.kind() {
        "portmap" if lacks(plugin, "portMappings") && !is_meant(plugin, "portMappings") => {
            let text = format!("portmap is never told what to map: {}", add("portMappings"));
            sheet.error("missing-capability", &head, text).meant = Some("portMappings".to_owned());
        }
        "bandwidth"
            if lacks(plugin, "bandwidth")
                && !is_meant(plugin, "bandwidth")
                && !RATES.into_iter().any(says) =>
        {
            let text =
                format!("bandwidth has no rate, and is never told one: write one, or {}", add("bandwidth"));
            sheet.error("missing-capability", &head, text).meant = Some("bandwidth".to_owned());
        }
        "host-device"
            if lacks(plugin, "deviceID")
                && !["device", "hwaddr", "kernelpath", "pciBusID"].into_iter().any(says) =>
        {
            let text = format!(
                "no device is named: write device, hwaddr, kernelpath or pciBusID, or {}",
                add("deviceID")
            );
            sheet.error("missing-key", &head, text).meant = Some("device".to_owned());
        }
        _ => {}
    }
}

/// What its IPAM plugin does nothing without.
fn missing_of_ipam(sheet: &mut Sheet, plugin: &Plugin) {
    let Some(ipam) = plugin.ipam() else { return };
    let spot = plugin.spot_of("ipam");
    let at = spot.key(ipam, "type");
    let says = |key: &str| ipam.get(key).is_some_and(Node::says_something);
    let args = plugin.below("args", "cni").and_then(|cni| cni.get("ips"));
    const RANGE: [&str; 4] = ["ranges", "subnet", "rangeStart", "rangeEnd"];
    match plugin.ipam_kind() {
        Some("host-local")
            if plugin.kind() != "flannel" && lacks(plugin, "ipRanges") && !RANGE.into_iter().any(says) =>
        {
            let text = format!("host-local has no addresses to give: write ranges, or {}", add("ipRanges"));
            sheet.error("missing-key", &at, text).meant = Some("ranges".to_owned());
        }
        Some("static") if lacks(plugin, "ips") && !says("addresses") && args.is_none() => {
            let text = format!(
                "static has no addresses, and gets them from IP in CNI_ARGS only: write addresses, or {}",
                add("ips")
            );
            sheet.warn("missing-capability", &at, text).meant = Some("ips".to_owned());
        }
        _ => {}
    }
}

/// Whether nobody tells the plugin: neither the runtime nor what stands in its configuration.
fn lacks(plugin: &Plugin, capability: &str) -> bool {
    !plugin.has_capability(capability) && plugin.below("runtimeConfig", capability).is_none()
}

/// Whether the capability is there, but misspelt, which is told as that.
fn is_meant(plugin: &Plugin, wanted: &str) -> bool {
    let capabilities = plugin.node().get("capabilities").map(Node::members).unwrap_or_default();
    let mut keys = plugin.node().members().iter().filter(|member| member.key.text != "capabilities");
    keys.any(|member| similar(&member.key.text, ["capabilities"].into_iter()).is_some())
        || capabilities.iter().any(|member| {
            member.key.text != wanted && similar(&member.key.text, [wanted].into_iter()).is_some()
        })
}

fn add(capability: &str) -> String {
    format!("add \"capabilities\": {{ \"{capability}\": true }}")
}
