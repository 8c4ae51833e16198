//! Which plugins there are, and in which order.

use cni_types::{PluginName, excerpt};

use crate::known::{self, CHAINED, makes_interface};
use crate::validate::finding::Sheet;
use crate::validate::network::{Network, Plugin};
use crate::validate::shape::foreign;
use crate::validate::similar::similar;

/// Plugins of others whose names are like those of ours.
const OTHERS: [&str; 17] = [
    "accelerated-bridge",
    "bond",
    "cnv-bridge",
    "cnv-tuning",
    "flanneld",
    "generic-veth",
    "ib-sriov",
    "ipvtap",
    "macvtap",
    "ovs-bridge",
    "route-override",
    "sriov",
    "veth",
    "vxlan",
    "win-bridge",
    "win-overlay",
    "wlan",
];
/// Plugins with an end of a pair on the host.
const PAIRS: [&str; 2] = ["bridge", "ptp"];

pub(super) fn check(sheet: &mut Sheet, network: &Network) {
    let plugins = &network.plugins;
    for (index, plugin) in plugins.iter().enumerate() {
        names(sheet, plugin);
        // Nothing is known of what a plugin of others makes.
        let before = &plugins[..index];
        let is_open = before.iter().any(|plugin| plugin.declared().is_none());
        if plugin.declared().is_none() || is_open {
            continue;
        }
        order(sheet, plugin, before);
    }
}

fn order(sheet: &mut Sheet, plugin: &Plugin, before: &[Plugin]) {
    let (kind, head) = (plugin.kind(), plugin.head());
    let maker = before.iter().find(|plugin| makes_interface(plugin.kind()));
    if CHAINED.contains(&kind) {
        let Some(maker) = maker else {
            let text = format!(
                "{kind} works on what a plugin before it has made, and there is none: put it behind one such as bridge"
            );
            sheet.error("chain-order", &head, text);
            return;
        };
        behind(sheet, plugin, maker);
        if ["bandwidth", "firewall", "portmap"].contains(&kind) && before.iter().any(|one| one.kind() == kind)
        {
            sheet.warn(
                "twice",
                &head,
                format!("{kind} is in the list before: the second undoes or repeats the first"),
            );
        }
    } else if let Some(maker) = maker.filter(|_| makes_interface(kind)) {
        if kind == "ipvlan" && plugin.ipam_kind().is_none() {
            return;
        }
        let text = format!(
            "{kind} makes the container's interface, which {} has made already: a network has one such plugin",
            maker.kind()
        );
        sheet.error("chain-order", &head, text);
    }
}

fn behind(sheet: &mut Sheet, plugin: &Plugin, maker: &Plugin) {
    let (kind, made_by) = (plugin.kind(), maker.maker());
    let is_ours = known::declared(made_by).is_some();
    if kind == "bandwidth" && is_ours && !PAIRS.contains(&made_by) {
        let text = format!(
            "bandwidth limits the host's end of a pair, and {made_by} makes none: it works behind {}",
            PAIRS.join(" and ")
        );
        sheet.error("chain-order", &plugin.head(), text);
    }
    let policy = plugin.node().text_of("ingressPolicy").filter(|policy| *policy != "open");
    if let Some(policy) = policy.filter(|_| kind == "firewall" && is_ours && made_by != "bridge") {
        let text = format!("the policy {} is about bridges, and {made_by} makes none", excerpt(policy));
        sheet.error("chain-order", &plugin.spot_of("ingressPolicy"), text);
    }
}

fn names(sheet: &mut Sheet, plugin: &Plugin) {
    let kind = plugin.kind();
    if kind.is_empty() {
        return;
    }
    let at = plugin.head();
    if let Err(error) = PluginName::new(kind) {
        sheet.error("bad-value", &at, error.to_string());
    } else if plugin.is_ipam() {
        let text = format!(
            "{kind} gives addresses and makes no interface: it belongs into ipam.type of another plugin"
        );
        sheet.error("wrong-place", &at, text).meant = Some("ipam.type".to_owned());
    } else if plugin.declared().is_none() {
        other(sheet, plugin, kind, &known::plugins());
    }
    let Some(ipam) = plugin.ipam_kind().filter(|_| plugin.declared().is_some()) else { return };
    let spot = plugin.spot_of("ipam");
    let at = plugin.ipam().map_or_else(|| spot.clone(), |node| spot.key(node, "type"));
    if let Err(error) = PluginName::new(ipam) {
        sheet.error("bad-value", &at, error.to_string());
    } else if known::IPAM.contains(&ipam) {
    } else if known::declared(ipam).is_some() {
        let text = format!("{ipam} gives no addresses: ipam.type is one of {}", known::IPAM.join(", "));
        sheet.error("wrong-place", &at, text);
    } else if let Some(meant) = similar(ipam, known::IPAM.into_iter()) {
        sheet
            .error(
                "unknown-plugin",
                &at,
                format!("no IPAM plugin {} of this suite{}", excerpt(ipam), foreign(ipam)),
            )
            .meaning(meant);
    } else {
        sheet.note("not-checked", &at, format!("{ipam} is a plugin of others: its keys are not checked"));
    }
}

fn other(sheet: &mut Sheet, plugin: &Plugin, kind: &str, ours: &[&'static str]) {
    let at = plugin.head();
    match similar(kind, ours.iter().copied()).filter(|_| !OTHERS.contains(&kind)) {
        Some(meant) => {
            sheet
                .error(
                    "unknown-plugin",
                    &at,
                    format!("no plugin {} of this suite{}", excerpt(kind), foreign(kind)),
                )
                .meaning(meant);
        }
        None => {
            let text =
                format!("{kind} is a plugin of others: only the keys that all plugins share are checked");
            sheet.note("not-checked", &at, text);
        }
    }
}
