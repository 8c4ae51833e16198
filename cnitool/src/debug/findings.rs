//! What is wrong, with the next step: what failed in the trial in the plugins' own words, and what plugins do not look
//! at because it is the node's business.

use std::path::Path;

use cni_net::sysctl;

use super::node;
use super::trial::Trial;
use crate::chain::Runtime;
use crate::conflist::NetworkList;

/// One line each, the worst first.
pub(super) fn of(list: &NetworkList, trial: &Trial, runtime: &Runtime) -> Vec<String> {
    let mut findings: Vec<String> = Vec::new();
    for (verb, error) in trial.failures() {
        let finding = format!("{verb} fails with code {}: {error}", error.code.0);
        // What STATUS has found already, ADD says again: `plugin type="bridge" failed (add): why`.
        let why = |said: &str| said.split_once("): ").map(|(_, why)| why.to_owned());
        if !findings.iter().any(|said| why(said).is_some() && why(said) == why(&finding)) {
            findings.push(finding);
        }
    }
    let has = |name: &str| list.plugins.iter().any(|plugin| plugin.name.as_str() == name);
    let is = |name: &str, value: &str| sysctl::read(name).is_ok_and(|found| found == value);
    let is_routed = ["bridge", "ptp", "flannel"].iter().any(|name| has(name));
    // Most networks switch it on themselves, by the ADD.
    let is_added = !trial.failures().any(|(verb, _)| verb == "ADD");
    if is_routed && is_added && is("ipv4/ip_forward", "0") {
        findings.push(
            "this node does not forward IPv4 packets, so pods reach nothing beyond it: sysctl -w net.ipv4.ip_forward=1"
                .to_owned(),
        );
    }
    let is_bridged = has("bridge") || has("flannel");
    if is_bridged && has("firewall") && !is("bridge/bridge-nf-call-iptables", "1") {
        findings.push(
            "what pods on one bridge send each other does not pass the firewall, so nothing isolates them: \
             modprobe br_netfilter; sysctl -w net.bridge.bridge-nf-call-iptables=1"
                .to_owned(),
        );
    }
    if is_routed && !has("firewall") {
        findings.extend(node::dropping_forward_chains().into_iter().map(|chain| {
            format!(
                "{chain} drops what it does not know, and nothing lets this network's pods through: put the plugin \
                 firewall behind the others in the list, or accept their addresses there"
            )
        }));
    }
    let strict = |value: &Option<String>| value.as_deref() == Some("1");
    if has("sbr") && (strict(&trial.rp_filter) || is("ipv4/conf/all/rp_filter", "1")) {
        findings.push(
            "packets that come in by one interface and are answered by another are dropped (rp_filter is 1, strict), which \
             sbr is there to allow: sysctl -w net.ipv4.conf.all.rp_filter=2, in the pod too (plugin tuning)"
                .to_owned(),
        );
    }
    findings.extend(gone(list, runtime));
    findings
}

/// Attachments whose namespace is not there any more: a DEL that never came.
fn gone(list: &NetworkList, runtime: &Runtime) -> Vec<String> {
    let attachments = runtime.cache.attachments(&list.name).unwrap_or_default();
    let is_gone = |path: &Path| !path.exists();
    let gone = attachments.into_iter().filter(|conf| conf.netns.as_deref().is_some_and(is_gone));
    gone.map(|conf| {
        format!(
            "the namespace of {} {} is gone ({}), and its addresses and ports are still held: cnitool gc --keep WHO {}, or GC by the \
             runtime",
            conf.container_id,
            conf.ifname,
            conf.netns.unwrap_or_default().display(),
            list.name
        )
    })
    .collect()
}
