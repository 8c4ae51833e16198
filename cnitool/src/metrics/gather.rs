//! The numbers.

use std::collections::BTreeMap;
use std::time::Instant;

use cni_types::Result;

use super::exposition::Exposition;
use super::range::Range;
use super::runs::runs;
use crate::attachments::{Survey, reservations};
use crate::cache::Cache;
use crate::chain::Runtime;
use crate::gc::LastRun;
use crate::settings;

/// Everything, as text.
///
/// # Errors
/// Code 4 for a bad variable.
pub(super) fn text() -> Result<String> {
    let begun = Instant::now();
    let runtime = Runtime { cni_path: settings::cni_path()?, cache: Cache::default() };
    let mut survey = Survey::take(&runtime.cache, &settings::net_dir()?);
    let mut out = Exposition::default();
    attachments(&mut out, &survey);
    addresses(&mut out, &mut survey);
    status(&mut out, &survey, &runtime);
    collected(&mut out);
    runs(&mut out);
    let unseen = "Things that could not be looked at; the other numbers are of the rest.";
    out.single("cni_unseen", unseen, survey.missing.len());
    let help = "How long it took to gather these numbers.";
    out.single("cni_gather_seconds", help, format_args!("{:.6}", begun.elapsed().as_secs_f64()));
    Ok(out.text())
}

/// Each network has a number for each state: what is not there cannot be alerted on.
fn attachments(out: &mut Exposition, survey: &Survey) {
    let states = ["ok", "no namespace", "no cache", "leaked", "damaged", "unknown"];
    let mut counts: BTreeMap<&str, [usize; 6]> = BTreeMap::new();
    let mut things: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut ports: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for network in survey.networks.keys() {
        counts.entry(network.as_str()).or_default();
    }
    for attachment in &survey.attachments {
        let network = attachment.network.as_ref().map_or("", |name| name.as_str());
        let at = states.iter().position(|state| *state == attachment.state.word()).unwrap_or(5);
        counts.entry(network).or_default()[at] += 1;
        if ["leaked", "no namespace"].contains(&attachment.state.word()) {
            for thing in &attachment.held {
                *things.entry((network, &thing.part)).or_default() += 1;
            }
        }
        for port in attachment.kept.iter().flat_map(|kept| kept.ports()) {
            *ports.entry((network, port.protocol.to_ascii_lowercase())).or_default() += 1;
        }
    }
    out.gauge("cni_attachments", "Attachments of this node by network and state, as cnitool ls has them.");
    for (network, counts) in counts {
        for (state, count) in states.iter().zip(counts) {
            out.sample("cni_attachments", &[("network", network), ("state", state)], count);
        }
    }
    out.gauge("cni_leaked_things", "What attachments without a container still hold on this node.");
    for ((network, part), count) in things {
        out.sample("cni_leaked_things", &[("network", network), ("part", part)], count);
    }
    out.gauge("cni_mapped_ports", "Ports of the host that the runtime had mapped to containers.");
    for ((network, protocol), count) in ports {
        out.sample("cni_mapped_ports", &[("network", network), ("protocol", &protocol)], count);
    }
}

fn addresses(out: &mut Exposition, survey: &mut Survey) {
    let mut counted = Vec::new();
    for (name, list) in &survey.networks {
        let ranges = Range::of(list);
        if ranges.is_empty() {
            continue;
        }
        // What cannot be read is known from the survey already.
        let reserved = reservations(name, Some(list), &mut Vec::new());
        for range in ranges {
            let used = reserved.iter().filter(|reservation| range.contains(reservation.ip)).count();
            counted.push((name.to_string(), range, used));
        }
    }
    out.gauge("cni_addresses_used", "Addresses of host-local's ranges that are reserved.");
    for (network, range, used) in &counted {
        out.sample("cni_addresses_used", &[("network", network), ("range", &range.name)], used);
    }
    out.gauge("cni_addresses_free", "Addresses of host-local's ranges that can still be given.");
    for (network, range, used) in &counted {
        let free = range.size().saturating_sub(u128::try_from(*used).unwrap_or(u128::MAX));
        out.sample("cni_addresses_free", &[("network", network), ("range", &range.name)], free);
    }
}

/// Of the networks that are configured: the plugins are asked, as a runtime does.
fn status(out: &mut Exposition, survey: &Survey, runtime: &Runtime) {
    out.gauge("cni_network_ready", "Whether the plugins' STATUS says that an ADD could work (1) or not (0).");
    for (name, list) in survey.networks.iter().filter(|(_, list)| list.file.is_some()) {
        let is_ready = runtime.status(list).is_ok();
        out.sample("cni_network_ready", &[("network", name.as_str())], u8::from(is_ready));
    }
}

/// What the last `cnitool gc` came to; without one since the node has booted there are no samples.
fn collected(out: &mut Exposition) {
    let last = LastRun::read();
    let mut of_last = |name: &str, help: &str, value: &dyn Fn(&LastRun) -> f64| {
        out.gauge(name, help);
        if let Some(last) = &last {
            out.sample(name, &[], value(last));
        }
    };
    #[allow(clippy::cast_precision_loss, reason = "neither times nor counts come near 2^52")]
    let time = |seconds: u64| seconds as f64;
    #[allow(clippy::cast_precision_loss, reason = "neither times nor counts come near 2^52")]
    let count = |count: usize| count as f64;
    of_last("cni_gc_finished_timestamp_seconds", "When the last GC ended.", &|last| time(last.finished));
    let help = "When the last GC ended that did all it should have done; 0 if none has.";
    of_last("cni_gc_succeeded_timestamp_seconds", help, &|last| time(last.succeeded));
    let help = "Whether the last GC could not ask who is alive, or left something that should have gone (1).";
    of_last("cni_gc_failed", help, &|last| f64::from(u8::from(last.failed)));
    of_last("cni_gc_seconds", "How long the last GC took.", &|last| last.seconds);
    of_last("cni_gc_removed", "Attachments that the last GC removed.", &|last| count(last.removed));
    let help = "Attachments that the last GC left because nobody has proven them dead.";
    of_last("cni_gc_spared", help, &|last| count(last.spared));
}
