//! CHECK: right after ADD it passes for every option; after each single change it fails and names it.

use cni_tests::{Conf, Container, Host, Place};
use serde_json::{Value, json};

fn bridges() -> Vec<Conf> {
    let base = Conf::dual_stack_bridge;
    vec![
        Conf::bridge(),
        base(),
        base().set("isGateway", true),
        base().set("isDefaultGateway", true),
        base().set("isGateway", true).set("forceAddress", true),
        base().set("ipMasq", true).set("ipMasqBackend", "nftables"),
        base().set("ipMasq", true).set("ipMasqBackend", "iptables"),
        base().set("mtu", 1400),
        base().set("hairpinMode", true),
        base().set("promiscMode", true),
        base().set("macspoofchk", true),
        base().set("enabledad", true),
        base().set("portIsolation", true),
        base().set("args", json!({ "cni": { "mac": "0a:00:00:00:00:01" } })),
        base().set("dns", json!({ "nameservers": ["192.0.2.1"] })),
        base().ipam(
            "routes",
            json!([{ "dst": "192.0.2.0/24" }, { "dst": "203.0.113.0/24", "gw": "10.22.0.9" }]),
        ),
        base().ipam(
            "routes",
            json!([{ "dst": "192.0.2.0/24", "table": 200 }, { "dst": "2001:db8::/32", "priority": 9 }]),
        ),
        base().set("ipam", json!({ "type": "static", "addresses": [{ "address": "10.22.0.9/32" }] })),
        Conf::layer2_bridge(),
        Conf::layer2_bridge().set("disableContainerInterface", true),
    ]
}

#[test]
fn it_passes_right_after_add_for_every_option() {
    let ptp = [Conf::ptp(), Conf::ptp().set("ipMasq", true), Conf::ptp().set("mtu", 1400)];
    let cases = bridges().into_iter().map(|c| ("bridge", c)).chain(ptp.into_iter().map(|c| ("ptp", c)));
    for (plugin, conf) in cases {
        let host = Host::new();
        let pod = host.container("pod");
        let result = host.plugin(plugin).add(&conf, &pod, "eth0").result();
        let outcome = host.plugin(plugin).check(&conf.clone().prev(&result), &pod, "eth0");
        assert_eq!(outcome.exit, Some(0), "{}: {outcome:?}", conf.text());
        outcome.done();
    }
}

type Mutation = (&'static str, fn(&Host, &Container, &Value), &'static [&'static str]);

fn port(result: &Value) -> String {
    let names =
        result["interfaces"].as_array().unwrap().iter().map(|i| i["name"].as_str().unwrap().to_owned());
    names.into_iter().find(|name| name.starts_with("veth")).unwrap()
}

const OF_THE_CONTAINER: [Mutation; 7] = [
    ("the link is gone", |_, pod, _| drop(pod.run("ip link del eth0")), &["eth0"]),
    (
        "the link has another MAC",
        |_, pod, _| drop(pod.run("ip link set eth0 address 0a:00:00:00:00:77")),
        &["0a:00:00:00:00:77"],
    ),
    (
        "the link is of another kind",
        |_, pod, _| {
            pod.run("ip link del eth0");
            pod.run("ip link add eth0 type bridge");
        },
        &["eth0", "veth"],
    ),
    (
        "the IPv4 address is gone",
        |_, pod, _| drop(pod.run("ip -4 address flush dev eth0")),
        &["eth0", "2/24"],
    ),
    (
        "the IPv6 address is gone",
        |_, pod, _| drop(pod.run("ip -6 address flush dev eth0 scope global")),
        &["eth0", "::2/64"],
    ),
    ("the IPv4 route is gone", |_, pod, _| drop(pod.run("ip route del 192.0.2.0/24")), &["192.0.2.0/24"]),
    ("the IPv6 route is gone", |_, pod, _| drop(pod.run("ip route del 2001:db8::/32")), &["2001:db8::/32"]),
];

const OF_THE_BRIDGE: [Mutation; 14] = [
    ("the bridge is gone", |host, _, _| drop(host.run("ip link del br0")), &["br0"]),
    (
        "the port left the bridge",
        |host, _, result| drop(host.run(&format!("ip link set {} nomaster", port(result)))),
        &["br0"],
    ),
    (
        "the bridge is promiscuous",
        |host, _, _| drop(host.run("ip link set br0 promisc on")),
        &["br0", "promisc"],
    ),
    (
        "the port is a hairpin",
        |host, _, result| {
            drop(host.run(&format!("bridge link set dev {} hairpin on", port(result))));
        },
        &["hairpin"],
    ),
    (
        "the port is isolated",
        |host, _, result| {
            drop(host.run(&format!("bridge link set dev {} isolated on", port(result))));
        },
        &["olat"],
    ),
    ("the masquerade is gone", |host, _, _| drop(host.run("nft flush ruleset")), &["masquerade"]),
    (
        "the address is no longer reserved",
        |host, _, _| {
            drop(host.run("rm /var/lib/cni/networks/net/10.22.0.2 /var/lib/cni/networks/net/fd00:22::2"));
        },
        &["pod"],
    ),
    (
        "the bridge's MAC changed",
        |host, _, _| drop(host.run("ip link set br0 address 0a:00:00:00:00:88")),
        &["br0", "0a:00:00:00:00:88"],
    ),
    ("the bridge is down", |host, _, _| drop(host.run("ip link set br0 down")), &["br0", "down"]),
    (
        "the port is down",
        |host, _, result| drop(host.run(&format!("ip link set {} down", port(result)))),
        &["veth", "down"],
    ),
    (
        "the IPv4 gateway's address is gone",
        |host, _, _| drop(host.run("ip -4 address flush dev br0")),
        &["br0", "10.22.0.1/24"],
    ),
    (
        "the IPv6 gateway's address is gone",
        |host, _, _| drop(host.run("ip -6 address del fd00:22::1/64 dev br0")),
        &["br0", "fd00:22::1/64"],
    ),
    NO_FORWARDING[0],
    NO_FORWARDING[1],
];

const NO_FORWARDING: [Mutation; 2] = [
    (
        "IPv4 is not forwarded",
        |host, _, _| drop(host.sh("echo 0 > /proc/sys/net/ipv4/ip_forward")),
        &["net.ipv4.ip_forward"],
    ),
    (
        "IPv6 is not forwarded",
        |host, _, _| drop(host.sh("echo 0 > /proc/sys/net/ipv6/conf/all/forwarding")),
        &["net.ipv6.conf.all.forwarding"],
    ),
];

fn every_mutation_is_found(plugin: &str, conf: &Conf, mutations: &[Mutation]) {
    for (what, mutate, parts) in mutations {
        let host = Host::new();
        let pod = host.container("pod");
        let result = host.plugin(plugin).add(conf, &pod, "eth0").result();
        let conf = conf.clone().prev(&result);
        host.plugin(plugin).check(&conf, &pod, "eth0").done();
        mutate(&host, &pod, &result);
        let outcome = host.plugin(plugin).check(&conf, &pod, "eth0");
        assert_eq!(outcome.exit, Some(1), "CHECK passes although {what}");
        let error = outcome.error();
        for part in *parts {
            assert!(error.text.contains(part), "{what}: {part:?} is not in {error:?}");
        }
    }
}

fn routes() -> Value {
    json!([{ "dst": "192.0.2.0/24" }, { "dst": "2001:db8::/32" }])
}

#[test]
fn each_change_of_a_bridges_container_is_found() {
    let conf = Conf::dual_stack_bridge().set("isGateway", true).ipam("routes", routes());
    every_mutation_is_found("bridge", &conf, &OF_THE_CONTAINER);
}

#[test]
fn each_change_of_a_ptp_container_is_found() {
    every_mutation_is_found("ptp", &Conf::ptp().ipam("routes", routes()), &OF_THE_CONTAINER);
}

#[test]
fn each_change_on_the_host_is_found() {
    let conf =
        Conf::dual_stack_bridge().set("isGateway", true).set("ipMasq", true).set("ipMasqBackend", "nftables");
    every_mutation_is_found("bridge", &conf, &OF_THE_BRIDGE);
}

#[test]
fn a_ptp_host_end_without_its_addresses_routes_or_masquerade_is_found() {
    let conf = Conf::ptp().set("ipMasq", true).set("ipMasqBackend", "nftables");
    let mutations: [Mutation; 6] = [
        ("the masquerade is gone", |host, _, _| drop(host.run("nft flush ruleset")), &["masquerade"]),
        (
            "the IPv4 gateway's address is gone",
            |host, _, result| drop(host.run(&format!("ip -4 address flush dev {}", port(result)))),
            &["veth", "10.33.0.1/32"],
        ),
        (
            "the IPv6 gateway's address is gone",
            |host, _, result| drop(host.run(&format!("ip address del fd00:33::1/128 dev {}", port(result)))),
            &["veth", "fd00:33::1/128"],
        ),
        (
            "the host's IPv4 route is gone",
            |host, _, _| drop(host.run("ip route del 10.33.0.2")),
            &["10.33.0.2", "veth"],
        ),
        (
            "the host's IPv6 route is gone",
            |host, _, _| drop(host.run("ip route del fd00:33::2")),
            &["fd00:33::2", "veth"],
        ),
        (
            "the container's route to the gateway is gone",
            |_, pod, _| {
                pod.run("ip route del 10.33.0.0/24");
                pod.run("ip route del 10.33.0.1");
                pod.run("ip route add 10.33.0.0/24 dev eth0");
            },
            &["10.33.0.1/32"],
        ),
    ];
    every_mutation_is_found("ptp", &conf, &mutations);
    every_mutation_is_found("ptp", &conf, &NO_FORWARDING);
}

#[test]
fn an_interface_without_addresses_that_is_down_is_found() {
    let host = Host::new();
    let pod = host.container("pod");
    let conf = Conf::layer2_bridge();
    let conf = conf.clone().prev(&host.plugin("bridge").add(&conf, &pod, "eth0").result());
    pod.run("ip link set eth0 down");
    host.plugin("bridge").check(&conf, &pod, "eth0").error().says(103, &["eth0", "down"]);
}

/// Behind the plugin comes one that was asked for another MTU and MAC address: what the chain's result says has the
/// final word, not this plugin's configuration.
#[test]
fn what_tuning_changed_behind_bridge_or_ptp_is_no_difference() {
    for (plugin, conf) in [("bridge", Conf::bridge()), ("ptp", Conf::ptp())] {
        for version in ["0.4.0", "1.0.0", "1.1.0"] {
            let host = Host::new();
            let pod = host.container("pod");
            let conf = conf.clone().set("mtu", 1400).version(version);
            let result = host.plugin(plugin).add(&conf, &pod, "eth0").result();
            let tuning = json!({ "cniVersion": version, "name": "net", "type": "tuning", "mtu": 1300,
                "mac": "0a:00:00:00:00:07", "promisc": true, "allmulti": true, "txQLen": 500 });
            let result = host.plugin("tuning").add(&Conf::new(tuning).prev(&result), &pod, "eth0").result();
            assert_eq!(pod.link("eth0")["mtu"], 1300);
            host.plugin(plugin).check(&conf.clone().prev(&result), &pod, "eth0").done();
            if version == "1.1.0" {
                pod.run("ip link set eth0 mtu 1280");
                host.plugin(plugin)
                    .check(&conf.prev(&result), &pod, "eth0")
                    .error()
                    .says(103, &["1280", "1300"]);
            }
        }
    }
}

#[test]
fn it_needs_a_prev_result_of_this_container() {
    for (plugin, conf) in [("bridge", Conf::bridge()), ("ptp", Conf::ptp())] {
        let host = Host::new();
        let pod = host.container("pod");
        let result = host.plugin(plugin).add(&conf, &pod, "eth0").result();
        let error = host.plugin(plugin).check(&conf, &pod, "eth0").error();
        assert!(error.text.contains("prevResult"), "{error:?}");
        let other = result.to_string().replace("/run/netns/pod", "/run/netns/other");
        let conf = conf.prev(&serde_json::from_str(&other).unwrap());
        let error = host.plugin(plugin).check(&conf, &pod, "eth0").error();
        assert!(error.text.contains("eth0") || error.text.contains("sandbox"), "{error:?}");
    }
}

#[test]
fn a_prev_result_of_another_version_family_is_refused() {
    let host = Host::new();
    let pod = host.container("pod");
    let result = host.plugin("bridge").add(&Conf::bridge(), &pod, "eth0").result();
    let conf = Conf::bridge().version("0.4.0").prev(&result);
    let error = host.plugin("bridge").check(&conf, &pod, "eth0").error();
    assert!(error.text.contains("1.0.0"), "{error:?}");
}

#[test]
fn it_changes_nothing() {
    let host = Host::new();
    let pod = host.container("pod");
    let conf = Conf::dual_stack_bridge().set("isDefaultGateway", true).set("ipMasq", true);
    let result = host.plugin("bridge").add(&conf, &pod, "eth0").result();
    let before = host.snapshot();
    host.plugin("bridge").check(&conf.prev(&result), &pod, "eth0").done();
    host.snapshot().assert_same_as(&before, "CHECK");
}
