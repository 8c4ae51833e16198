//! `portmap`: bad input is an error that names the key, and nothing is made; versions; STATUS.

use cni_tests::published::mapping;
use cni_tests::{Conf, Host, Place, in_every_version, needs};
use serde_json::{Value, json};

fn conf() -> Conf {
    Conf::portmap("nftables", &json!([mapping(8080, 80, "tcp")]))
}

fn result() -> Value {
    json!({ "cniVersion": "1.0.0", "ips": [{ "address": "10.22.0.2/24" }] })
}

#[test]
fn bad_input_is_refused_and_nothing_is_made() {
    let entry = |key: &str, value: Value| {
        let mut entry = mapping(8080, 80, "tcp");
        entry[key] = value;
        Conf::portmap("nftables", &json!([mapping(1, 1, "tcp"), entry]))
    };
    let cases = [
        (entry("hostPort", json!(0)), 7, "Invalid host port number: 0"),
        (entry("hostPort", json!(65_536)), 7, "hostPort must be 1–65535"),
        (entry("hostPort", json!(-1)), 7, "hostPort"),
        (entry("hostPort", json!("80")), 6, "hostPort"),
        (entry("hostPort", json!(1.5)), 6, "hostPort"),
        (entry("containerPort", json!(0)), 7, "Invalid container port number: 0"),
        (entry("containerPort", json!(70_000)), 7, "portMappings[1]"),
        (entry("protocol", json!("icmp")), 7, "\"tcp\", \"udp\" or \"sctp\""),
        (entry("protocol", json!("")), 7, "protocol"),
        (entry("hostIP", json!("nonsense")), 7, "hostIP"),
        (entry("hostIP", json!("10.0.0.1/33")), 7, "hostIP"),
        (
            conf().set(
                "runtimeConfig",
                json!({ "portMappings": [mapping(5, 1, "tcp"), mapping(5, 2, "tcp")] }),
            ),
            7,
            "5/tcp",
        ),
        (conf().set("backend", "ipvs"), 7, "\"iptables\" or \"nftables\""),
        (conf().set("backend", ""), 7, "backend"),
        (conf().set("markMasqBit", 32), 7, "between 0 and 31"),
        (conf().set("markMasqBit", -1), 7, "between 0 and 31"),
        (
            conf().set("markMasqBit", 3).set("externalSetMarkChain", "X"),
            7,
            "externalSetMarkChain and markMasqBit",
        ),
        (
            conf().set("externalSetMarkChain", "X"),
            7,
            "nftables backend was requested but configuration contains iptables-specific options [externalSetMarkChain]",
        ),
        (
            conf().set("conditionsV4", json!(["-s", "1.2.3.4"])).set("conditionsV6", json!(["!", "-i", "x"])),
            7,
            "[conditionsV4 conditionsV6]",
        ),
        (
            conf().set("backend", "iptables").set("conditionsV4", json!(["ip", "saddr", "1.2.3.4"])),
            7,
            "iptables backend was requested",
        ),
        (conf().set("conditionsV4", json!(["tcp", "flags", "syn"])), 7, "conditionsV4"),
        (conf().set("conditionsV4", json!(["ip", "saddr"])), 7, "a value is missing"),
        (conf().set("conditionsV4", json!(["ip", "saddr", "10.0.0.0/33"])), 7, "10.0.0.0/33"),
        (conf().set("conditionsV4", json!(["ip", "saddr", "{", "1.2.3.4"])), 7, "}"),
        (conf().set("conditionsV4", "ip saddr 1.2.3.4"), 6, "conditionsV4"),
        (conf().set("snat", "yes"), 6, "snat"),
        (conf().set("runtimeConfig", json!({ "portMappings": {} })), 6, "portMappings"),
    ];
    let host = Host::new();
    let pod = host.container("pod");
    let before = host.snapshot();
    for (conf, code, says) in cases {
        let conf = conf.prev(&result());
        host.plugin("portmap").add(&conf, &pod, "eth0").error().says(code, &[says]);
        host.plugin("portmap").check(&conf, &pod, "eth0").error().says(code, &[says]);
        host.plugin("portmap").del(&conf, &pod, "eth0").done();
    }
    let portmap = || host.plugin("portmap");
    portmap().add(&conf(), &pod, "eth0").error().says(7, &["must be called as chained plugin", "prevResult"]);
    portmap().check(&conf(), &pod, "eth0").error().says(7, &["prevResult missing"]);
    host.snapshot().assert_same_as(&before, "bad input");
}

#[test]
fn without_ports_the_result_passes_and_nothing_is_made() {
    let host = Host::new();
    let pod = host.container("pod");
    let before = host.snapshot();
    for none in [json!([]), Value::Null] {
        let conf = conf().set("runtimeConfig", json!({ "portMappings": none })).prev(&result());
        assert_eq!(host.plugin("portmap").add(&conf, &pod, "eth0").result(), result());
        host.plugin("portmap").check(&conf, &pod, "eth0").done();
        host.plugin("portmap").del(&conf, &pod, "eth0").done();
    }
    host.snapshot().assert_same_as(&before, "nothing to do");
}

/// Whether or not the kernel tracks SCTP, the mapping is there.
#[test]
fn sctp_ports_are_mapped() {
    let host = Host::new();
    let pod = host.container("pod");
    let conf =
        conf().set("runtimeConfig", json!({ "portMappings": [mapping(3868, 3868, "SCTP")] })).prev(&result());
    host.plugin("portmap").add(&conf, &pod, "eth0").result();
    let map = host.run("nft list map inet cni_portmap ports4");
    assert!(map.contains("sctp . 3868") && map.contains(": 10.22.0.2 . 3868"), "{map}");
    host.plugin("portmap").check(&conf, &pod, "eth0").done();
    host.plugin("portmap").del(&conf, &pod, "eth0").done();
    assert!(!host.run("nft list map inet cni_portmap ports4").contains("sctp . 3868"));
}

/// An address of the host end, or of another interface, is not the container's; one without an interface is.
#[test]
fn the_containers_address_is_chosen() {
    let interfaces =
        json!([{ "name": "br0" }, { "name": "eth1", "sandbox": "/x" }, { "name": "eth0", "sandbox": "/x" }]);
    let cases = [
        (
            json!([{ "address": "10.0.0.1/24", "interface": 0 }, { "address": "10.0.0.2/24", "interface": 2 }]),
            Some("10.0.0.2"),
        ),
        (
            json!([{ "address": "10.0.0.1/24", "interface": 1 }, { "address": "10.0.0.2/24" }]),
            Some("10.0.0.2"),
        ),
        (json!([{ "address": "10.0.0.3/24", "interface": 9 }]), Some("10.0.0.3")),
        (json!([{ "address": "10.0.0.1/24", "interface": 0 }]), None),
    ];
    for (ips, chosen) in cases {
        let host = Host::new();
        let pod = host.container("pod");
        let conf = conf().prev(&json!({ "cniVersion": "1.0.0", "interfaces": interfaces, "ips": ips }));
        host.plugin("portmap").add(&conf, &pod, "eth0").result();
        let elements = host.nft("map").iter().map(|map| map["elem"].to_string()).collect::<String>();
        match chosen {
            Some(ip) => assert!(elements.contains(ip), "{ips}: {elements}"),
            None => assert!(!elements.contains("10.0.0"), "{ips}: {elements}"),
        }
    }
}

fn passes_the_result_on(version: &str) {
    let host = Host::new();
    let pod = host.container("pod");
    let bridge = Conf::dual_stack_bridge().version(version);
    let result = host.plugin("bridge").add(&bridge, &pod, "eth0").result();
    let conf = conf().version(version).prev(&result);
    assert_eq!(host.plugin("portmap").add(&conf, &pod, "eth0").result(), result);
    if ["0.4.0", "1.0.0", "1.1.0"].contains(&version) {
        host.plugin("portmap").check(&conf, &pod, "eth0").done();
    }
    host.plugin("portmap").del(&conf, &pod, "eth0").done();
}

in_every_version!(passes_the_result_on as result_passes);

#[test]
fn status_probes_the_backend_and_makes_nothing() {
    needs!(Iptables);
    let host = Host::new();
    let before = host.snapshot();
    for backend in ["nftables", "iptables"] {
        host.plugin("portmap").status(&conf().set("backend", backend).version("1.1.0")).done();
    }
    host.snapshot().assert_same_as(&before, "STATUS");
    let without_tools = host.plugin("portmap").env("PATH", "/nonexistent");
    let bare = conf().version("1.1.0").remove("backend");
    without_tools.under(&[]).status(&bare).done();
}
