//! `sbr`: tables and rules read back with `ip -j`, packets, both directions of upgrade, bad input, faults.

mod bad_input;
mod chain;
mod check;
mod del;
mod faults;
mod golden;
mod hints;
mod upgrade;

use cni_tests::{Conf, Container, Host, Place};
use serde_json::{Value, json};

/// A pod with these addresses on `eth0`, the other end of the pair on the host, both up.
fn attached(host: &Host, addresses: &[&str]) -> Container {
    let pod = host.container("pod");
    host.pair(&pod, "h-eth0", "eth0", addresses);
    pod
}

/// A configuration behind a plugin that gave `eth0` these addresses and gateways (`""` is none).
fn conf(ips: &[(&str, &str)]) -> Conf {
    conf_of("eth0", ips)
}

fn conf_of(ifname: &str, ips: &[(&str, &str)]) -> Conf {
    let ip = |(address, gateway): &(&str, &str)| {
        let ip = json!({ "interface": 1, "address": address });
        if gateway.is_empty() {
            ip
        } else {
            json!({ "gateway": gateway, "interface": 1, "address": address })
        }
    };
    let interfaces =
        json!([{ "name": format!("h-{ifname}") }, { "name": ifname, "sandbox": "/run/netns/pod" }]);
    let ips: Vec<_> = ips.iter().map(ip).collect();
    Conf::new(json!({ "cniVersion": "1.0.0", "name": "net", "type": "sbr" })).prev(
        &json!({ "cniVersion": "1.0.0", "interfaces": interfaces, "ips": ips, "routes": [{ "dst": "0.0.0.0/0" }] }),
    )
}

/// The usual pod: one address of each family, each with a gateway and a default route.
const DUAL_STACK: [(&str, &str); 2] = [("10.1.0.2/24", "10.1.0.1"), ("fd00:1::2/64", "fd00:1::1")];

fn dual_stack(host: &Host) -> (Container, Conf) {
    let pod = attached(host, &DUAL_STACK.map(|(address, _)| address));
    pod.run("ip route add default via 10.1.0.1");
    pod.run("ip -6 route add default via fd00:1::1");
    (pod, conf(&DUAL_STACK))
}

/// Every route but those of the local table, as `table dst via gateway …`, sorted by family and table.
fn routes(pod: &Container) -> Vec<String> {
    let mut lines = Vec::new();
    for family in ["-4", "-6"] {
        let mut of_family: Vec<_> =
            pod.ip(&format!("{family} route show table all")).iter().filter_map(line).collect();
        of_family.sort_by_key(|line| line.split(' ').next().unwrap().to_owned());
        lines.extend(of_family);
    }
    lines
}

/// Those in the order the kernel has them, without the link-local ones.
fn line(route: &Value) -> Option<String> {
    let text = |route: &Value, key: &str| route[key].as_str().map(str::to_owned);
    let table = text(route, "table").unwrap_or_else(|| "main".to_owned());
    let dst = text(route, "dst").unwrap();
    if table == "local" || dst.starts_with("fe80") {
        return None;
    }
    let mut line = format!("{table} {dst}");
    for hop in std::iter::once(route).chain(route["nexthops"].as_array().into_iter().flatten()) {
        if let Some(gateway) = text(hop, "gateway") {
            line += &format!(" via {gateway}");
        }
    }
    for (key, word) in [("protocol", "proto"), ("prefsrc", "src")] {
        if let Some(value) = text(route, key).filter(|value| value != "boot") {
            line += &format!(" {word} {value}");
        }
    }
    if let Some(metric) = route["metric"].as_u64().filter(|metric| *metric != 1024) {
        line += &format!(" metric {metric}");
    }
    Some(line)
}

/// Every rule but the kernel's, the first one first: `from address lookup table`.
fn rules(pod: &Container) -> Vec<String> {
    let all = ["-4", "-6"].into_iter().flat_map(|family| pod.ip(&format!("{family} rule show")));
    let own = all.filter(|rule| rule["src"] != "all");
    own.map(|rule| {
        let prefix = rule["srclen"].as_u64().map(|bits| format!("/{bits}")).unwrap_or_default();
        format!("from {}{prefix} lookup {}", rule["src"].as_str().unwrap(), rule["table"].as_str().unwrap())
    })
    .collect()
}

/// All that `sbr` could change: rules, routes of all tables, links, addresses, files. The routes to IPv6 addresses of
/// its own the kernel makes when it gets to it.
fn state(host: &Host, pod: &Container) -> (cni_tests::Snapshot, Vec<String>, Vec<String>) {
    let all = ["-4", "-6"].map(|family| pod.run(&format!("ip {family} route show table all")));
    let lines = all.iter().flat_map(|routes| routes.lines()).map(|line| line.trim().to_owned());
    let by_and_by = |line: &String| line.starts_with("local ") && line.contains(':');
    (host.snapshot(), rules(pod), lines.filter(|line| !by_and_by(line)).collect())
}
