//! `bandwidth`: limits read back with `tc`, real traffic, both directions of upgrade, faults.

mod bad_input;
mod check;
mod faults;
mod gc;
mod limits;
mod traffic;
mod upgrade;

use cni_tests::{Conf, Container, Host, Place};
use serde_json::{Value, json};

/// A pair between the host and a pod, `host0` and `eth0`.
fn attached(host: &Host) -> Container {
    let pod = host.container("pod");
    host.pair(&pod, "host0", "eth0", &[]);
    pod
}

/// A configuration behind the plugin that made the pair.
fn conf(version: &str) -> Conf {
    let conf = Conf::new(json!({ "cniVersion": version, "name": "net", "type": "bandwidth" }));
    behind(conf, version, "host0", "pod", "eth0")
}

fn behind(conf: Conf, version: &str, outside: &str, pod: &str, inside: &str) -> Conf {
    let sandbox = format!("/run/netns/{pod}");
    let interfaces = json!([{ "name": outside }, { "name": inside, "sandbox": sandbox }]);
    conf.prev(&json!({ "cniVersion": version, "interfaces": interfaces }))
}

/// Rates and bursts in bits; 0 leaves the key out.
fn limited(conf: Conf, ingress: (u64, u64), egress: (u64, u64)) -> Conf {
    let keys = [
        ("ingressRate", ingress.0),
        ("ingressBurst", ingress.1),
        ("egressRate", egress.0),
        ("egressBurst", egress.1),
    ];
    keys.into_iter().filter(|(_, value)| *value != 0).fold(conf, |conf, (key, value)| conf.set(key, value))
}

/// A usual configuration: 8 Mbit/s in, 16 Mbit/s out.
fn both() -> Conf {
    limited(conf("1.0.0"), (8_000_000, 800_000), (16_000_000, 1_600_000))
}

/// The link's qdiscs but the kernel's default, without counters: kind, handle, options.
fn qdiscs(host: &Host, link: &str) -> Vec<Value> {
    let Value::Array(all) = host.json(&format!("tc -j qdisc show dev {link}")) else { panic!("no list") };
    let own = all.into_iter().filter(|q| q["kind"] != "noqueue" && q["kind"] != "pfifo_fast");
    own.map(|q| json!({ "kind": q["kind"], "handle": q["handle"], "options": q["options"] })).collect()
}

fn tbf(rate: u64, burst: u64) -> Value {
    json!({ "kind": "tbf", "handle": "1:", "options": { "rate": rate, "burst": burst, "lat": 25_000 } })
}

/// The ifbs of the host.
fn ifbs(host: &Host) -> Vec<Value> {
    host.ip("link show type ifb")
}

/// Everything that could be left on the host, with the qdiscs and ingress filters of `host0`.
fn state(host: &Host) -> (cni_tests::Snapshot, Vec<Value>, String) {
    (host.snapshot(), qdiscs(host, "host0"), host.run("tc filter show dev host0 ingress"))
}
