//! No link that a plugin leaves on the host listens to router advertisements: whoever is at the other end must not be
//! able to give the host addresses and routes (CVE-2020-10749).

use std::collections::BTreeSet;
use std::net::SocketAddrV6;

use cni_tests::{Chain, Conf, Container, Host, Place, needs, plugins};
use serde_json::json;
use socket2::{Domain, Protocol, Socket, Type};

/// A configuration of the plugin that makes as many links on the host as there can be; `None` for one that makes none.
fn conf(plugin: &str) -> Option<Conf> {
    let own = |keys: serde_json::Value| {
        let mut conf = Conf::new(json!({ "cniVersion": "1.0.0", "name": plugin, "type": plugin }))
            .ranges(&["10.44.0.0/24", "fd00:44::/64"]);
        for (key, value) in keys.as_object().unwrap() {
            conf = conf.set(key, value.clone());
        }
        Some(conf)
    };
    match plugin {
        "bridge" => own(json!({ "bridge": "br0", "isGateway": true })),
        "ptp" | "tap" => own(json!({})),
        "macvlan" => own(json!({ "master": "uplink" })),
        "host-device" => own(json!({ "device": "nic" })),
        // Of kinds that not every kernel has, inside the container alone; or delegates to a bridge.
        "ipvlan" | "vlan" | "dummy" | "vrf" | "flannel" => None,
        // Behind another in the chain.
        "bandwidth" | "firewall" | "portmap" | "sbr" | "tuning" => None,
        "loopback" | "host-local" | "static" | "dhcp" => None,
        other => panic!("does {other} make links on the host?"),
    }
}

fn links(host: &Host) -> BTreeSet<String> {
    host.ip("link show").iter().map(|link| link["ifname"].as_str().unwrap().to_owned()).collect()
}

fn assert_shut(host: &Host, before: &BTreeSet<String>, what: &str) -> usize {
    let made: Vec<_> = links(host).difference(before).cloned().collect();
    for link in &made {
        assert_eq!(host.sysctl(&format!("ipv6/conf/{link}/accept_ra")), "0", "{link}, made by {what}");
    }
    made.len()
}

#[test]
fn every_link_on_the_host_ignores_them() {
    let mut made = 0;
    for plugin in plugins() {
        let Some(conf) = conf(&plugin) else { continue };
        let host = Host::new();
        for link in ["uplink", "nic"] {
            host.run(&format!("ip link add {link} type veth peer name far-{link}"));
            host.run(&format!("ip link set {link} up"));
        }
        let before = links(&host);
        host.plugin(&plugin).add(&conf, &host.container("pod"), "eth0").result();
        made += assert_shut(&host, &before, &plugin);
    }
    assert!(made >= 3, "the bridge, two host ends: {made}");
}

#[test]
fn a_bridge_of_the_administrators_ignores_them_before_it_is_up() {
    let host = Host::new();
    let before = links(&host);
    host.run("ip link add br0 type bridge");
    assert_eq!(host.sysctl("ipv6/conf/br0/accept_ra"), "1");
    host.plugin("bridge").add(&Conf::layer2_bridge(), &host.container("pod"), "eth0").result();
    assert_eq!(assert_shut(&host, &before, "bridge"), 2);
}

#[test]
fn the_ifb_of_bandwidth_ignores_them() {
    let host = Host::new();
    let before = links(&host);
    let limit = json!({ "type": "bandwidth", "egressRate": 1_000_000, "egressBurst": 1_000_000 });
    let list = json!({ "cniVersion": "1.0.0", "name": "net", "plugins": [{ "type": "bridge", "bridge": "br0" }, limit] });
    Chain::new(&list).add(&host, &host.container("pod"), "eth0");
    assert_eq!(assert_shut(&host, &before, "bandwidth"), 3);
}

#[test]
fn both_ends_of_a_vlans_gateway_link_ignore_them() {
    needs!(BridgeVlan);
    let host = Host::new();
    let before = links(&host);
    let conf = Conf::dual_stack_bridge().set("isGateway", true).set("vlan", 100);
    host.plugin("bridge").add(&conf, &host.container("pod"), "eth0").result();
    assert_eq!(assert_shut(&host, &before, "bridge"), 4);
    // One that an earlier version made, or the reference.
    for link in links(&host).difference(&before) {
        host.sh(&format!("echo 1 > /proc/sys/net/ipv6/conf/{link}/accept_ra"));
    }
    host.plugin("bridge").add(&conf, &host.container("other"), "eth0").result();
    let port = host.ip("link show").into_iter().find(|link| link["link"] == "br0.100").unwrap();
    for link in ["br0", "br0.100", port["ifname"].as_str().unwrap()] {
        assert_eq!(host.sysctl(&format!("ipv6/conf/{link}/accept_ra")), "0", "{link}");
    }
}

/// Says from the container that its link is the way to everywhere, to the IPv6 address `to` of the other end.
fn advertise(pod: &Container, to: &str) {
    let to: SocketAddrV6 =
        SocketAddrV6::new(to.parse().unwrap(), 0, 0, pod.link("eth0")["ifindex"].as_u64().unwrap() as u32);
    // Type, code, checksum (the kernel's), hop limit, flags, a lifetime of 1800 s, two timers.
    let advertisement = [134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0];
    pod.enter(|| {
        let socket = Socket::new(Domain::IPV6, Type::RAW, Some(Protocol::ICMPV6)).unwrap();
        socket.set_unicast_hops_v6(255).unwrap();
        socket.send_to(&advertisement, &to.into()).unwrap();
    });
}

/// A bridge hands frames to the link-local group addresses, such as LLDP's, to the port's own IPv6.
#[test]
fn one_that_is_addressed_past_the_bridge_is_ignored_too() {
    let host = Host::new();
    let pod = host.container("pod");
    host.run("sysctl -qw net.ipv6.conf.default.accept_dad=0");
    pod.run("sysctl -qw net.ipv6.conf.default.accept_dad=0");
    host.plugin("bridge").add(&Conf::layer2_bridge(), &pod, "eth0").result();
    let port = host.ip("link show type veth")[0]["ifname"].as_str().unwrap().to_owned();
    let link_local = host.ip(&format!("-6 address show dev {port}")).remove(0);
    let address = link_local["addr_info"][0]["local"].as_str().unwrap();
    pod.run(&format!("ip neighbour replace {address} lladdr 01:80:c2:00:00:0e dev eth0 nud permanent"));
    let way_out = || host.run("ip -6 route show default");
    advertise(&pod, address);
    assert_eq!(way_out(), "");
    // It is the setting that keeps it out.
    host.sh(&format!("echo 1 > /proc/sys/net/ipv6/conf/{port}/accept_ra"));
    advertise(&pod, address);
    assert!(way_out().contains(&port), "{}", way_out());
}
