//! `vrf`: members, addresses and tables read back with `ip -j`, packets, both directions of upgrade, bad input, faults.

mod bad_input;
mod chain;
mod check;
mod del;
mod faults;
mod golden;
mod upgrade;

use cni_tests::{Conf, Container, Host, Place};
use serde_json::{Value, json};

const ADDRESSES: [&str; 2] = ["10.1.0.2/24", "fd00:1::2/64"];

/// A pod with these addresses on `eth0`, the other end of the pair on the host, both up.
fn attached(host: &Host, addresses: &[&str]) -> Container {
    let pod = host.container("pod");
    host.pair(&pod, "h-eth0", "eth0", addresses);
    pod
}

/// A configuration of VRF `red` behind a plugin that made `ifname` with these addresses.
fn conf_of(ifname: &str, addresses: &[&str]) -> Conf {
    let interfaces =
        json!([{ "name": format!("h-{ifname}") }, { "name": ifname, "sandbox": "/run/netns/pod" }]);
    let ips: Vec<_> = addresses.iter().map(|a| json!({ "interface": 1, "address": a })).collect();
    let conf = json!({ "cniVersion": "1.0.0", "name": "net", "type": "vrf", "vrfname": "red" });
    Conf::new(conf).prev(&json!({ "cniVersion": "1.0.0", "interfaces": interfaces, "ips": ips }))
}

/// The usual pod: one address of each family, default routes, a route with a metric.
fn dual_stack(host: &Host) -> (Container, Conf) {
    let pod = attached(host, &ADDRESSES);
    pod.run("ip route add default via 10.1.0.1");
    pod.run("ip route add 10.9.0.0/16 via 10.1.0.9 metric 7");
    pod.run("ip -6 route add default via fd00:1::1");
    (pod, conf_of("eth0", &ADDRESSES))
}

/// The routes of one table and family as `ip` prints them, but the link-local ones and those to the pod itself.
fn table(pod: &Container, family: &str, table: &str) -> Vec<String> {
    let all = pod.run(&format!("ip {family} route show table {table}"));
    let is_forwarding = |line: &&str| {
        let own = ["local", "broadcast", "multicast", "anycast"].iter().any(|word| line.starts_with(word));
        !own && !line.starts_with("fe80") && !line.is_empty()
    };
    all.lines().map(|line| line.trim()).filter(is_forwarding).map(str::to_owned).collect()
}

/// Whose member the link is.
fn master(pod: &Container, link: &str) -> Option<String> {
    pod.link(link)["master"].as_str().map(str::to_owned)
}

/// The VRFs and their tables.
fn vrfs(pod: &Container) -> Vec<(String, u64)> {
    let all = pod.ip("link show type vrf");
    let table = |vrf: &Value| vrf["linkinfo"]["info_data"]["table"].as_u64().unwrap();
    all.iter().map(|vrf| (vrf["ifname"].as_str().unwrap().to_owned(), table(vrf))).collect()
}

/// All that `vrf` could change: the links, addresses, rules and routes of the pod, the links of the host, files. The
/// routes to IPv6 addresses of its own the kernel makes when it gets to it; its rule for VRFs comes with a namespace's
/// first one and stays.
fn state(host: &Host, pod: &Container) -> Vec<String> {
    let mut lines = Vec::new();
    for link in pod.ip("address show") {
        let name = link["ifname"].as_str().unwrap();
        let flags = link["flags"].as_array().unwrap();
        let is_up = flags.iter().any(|flag| flag == "UP");
        let kind = &link["linkinfo"]["info_kind"];
        lines.push(format!("{name} {kind} master {} mtu {} up {is_up}", link["master"], link["mtu"]));
        let addresses = link["addr_info"].as_array().unwrap().iter().filter(|a| a["scope"] != "link");
        lines.extend(
            addresses.map(|a| format!("{name} {} {} {}", a["local"], a["prefixlen"], a["tentative"])),
        );
    }
    for command in ["ip -4 route show table all", "ip -6 route show table all", "ip rule", "ip -6 rule"] {
        let all = pod.run(command).replace(" linkdown", "");
        let by_and_by = |line: &str| line.starts_with("local ") && line.contains(':');
        let lasting = |line: &&str| !by_and_by(line) && !line.contains("fe80::") && !line.contains("l3mdev");
        lines.extend(all.lines().map(str::trim).filter(lasting).map(str::to_owned));
    }
    let links = host.ip("link show").into_iter().map(|link| link["ifname"].to_string());
    lines.extend(links.chain([host.run("find /run/netns /var/lib/cni")]));
    lines.sort();
    lines
}
