//! What the things of others cost: every verb of every plugin on a node that is crowded, beside one that is empty.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::call::PATH;
use crate::chain::{Chain, Done, id};
use crate::crowd;
use crate::options::{Options, Suite};
use crate::place::{Place, sh};
use crate::report::Report;
use crate::scenario::{CROWDED, Scenario};

/// Where `iptables` is the legacy one.
const LEGACY: &str = "/run/legacy";

/// A host of one suite, and who is on it.
struct Node {
    kind: &'static str,
    count: usize,
    host: Place,
}

pub(crate) fn measure(options: &Options, report: &mut Report) {
    sh(&format!(
        "mkdir -p {LEGACY}; for n in iptables ip6tables; do for t in '' -save -restore; do \
         ln -sf $(command -v xtables-legacy-multi) {LEGACY}/$n$t; done; done"
    ));
    for suite in options.plugins() {
        let nodes: Vec<_> =
            crowd::ALL.into_iter().filter_map(|crowd| node(crowd, options, suite, report)).collect();
        for name in options.some(&CROWDED) {
            measure_chain(options, suite, &nodes, name, report);
        }
    }
}

/// `None` for a crowd that there cannot be.
fn node(crowd: (&'static str, usize), options: &Options, suite: &Suite, report: &mut Report) -> Option<Node> {
    let (kind, count) = (crowd.0, options.size(crowd.1));
    let host = Place::host(&format!("crowded-{}-{}", slug(kind), suite.name));
    let reservations = PathBuf::from("/var/lib/cni/networks").join(network(kind, suite));
    eprintln!("  {count} {kind}");
    match thread::scope(|scope| scope.spawn(|| crowd::make(kind, count, &host, &reservations)).join()) {
        Ok(()) => Some(Node { kind, count, host }),
        Err(_) => {
            report.of(&format!("crowd of {kind}"), "", &suite.name).fail("it cannot be made here");
            None
        }
    }
}

/// The kind as a part of a name.
fn slug(kind: &str) -> String {
    kind.replace(", ", "-").replace(' ', "-")
}

fn network(kind: &str, suite: &Suite) -> String {
    format!("{}-{}", slug(kind), suite.name)
}

fn measure_chain(options: &Options, suite: &Suite, nodes: &[Node], name: &str, report: &mut Report) {
    let scenario = Scenario::named(name);
    eprintln!("  {name}");
    for node in nodes {
        node.host.enter(|| scenario.prepare());
    }
    for turn in 0..options.iterations(11) {
        for at in 0..nodes.len() {
            let node = &nodes[(at + turn) % nodes.len()];
            let mut chain = Chain::new(&scenario, suite);
            (chain.network, chain.version) = (network(node.kind, suite), "1.1.0");
            if crowd::is_legacy(node.kind) {
                chain.path = format!("{LEGACY}:{PATH}");
            }
            node.host.go();
            let ended = AtomicBool::new(node.kind != "links");
            thread::scope(|scope| {
                scope.spawn(|| crowd::change(&node.host, node.count, &ended));
                for (verb, done) in verbs(&chain, node, turn) {
                    push(report, node.kind, verb, &suite.name, &done);
                }
                ended.store(true, Ordering::Relaxed);
            });
        }
    }
}

/// A pod's life, with what a runtime asks in between. The second STATUS is the one that counts: the first may find out
/// what is remembered for the next.
fn verbs(chain: &Chain, node: &Node, turn: usize) -> Vec<(&'static str, Done)> {
    let pod = Place::new("crowded-pod");
    let held = if node.kind == "reservations" { node.count } else { 0 };
    let added = chain.add(turn, &pod);
    if added.error.is_some() {
        chain.del(turn, &pod, &added.result);
        return vec![("ADD", added)];
    }
    let checked = chain.check(turn, &pod, &added.result);
    chain.status();
    let status = chain.status();
    let gc = chain.gc(crowd::reserved(held).chain([id(turn)]));
    let deleted = chain.del(turn, &pod, &added.result);
    vec![("ADD", added), ("CHECK", checked), ("STATUS", status), ("GC", gc), ("DEL", deleted)]
}

/// A sample for each plugin of the chain. One that is there twice counts once.
fn push(report: &mut Report, kind: &str, verb: &str, suite: &str, done: &Done) {
    let case = |plugin: &str, kind: &str| format!("{plugin}, {kind}");
    if let (Some(error), true) = (&done.error, verb == "ADD") {
        let plugin = error.split(' ').skip(1).collect::<Vec<_>>().join(" ");
        let plugin = plugin.split(':').next().unwrap_or_default();
        report.of(&case(plugin, kind), verb, suite).fail(error);
    }
    let each: BTreeMap<_, _> = done.each.iter().map(|(plugin, cost)| (plugin, cost)).collect();
    for (plugin, cost) in each {
        report.of(&case(plugin, kind), verb, suite).push_one(cost);
        report.compare(&case(plugin, kind), &case(plugin, crowd::without(kind)));
    }
}
