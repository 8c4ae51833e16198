//! ADD moves the device in, DEL moves it out.

use cni_tests::{Conf, Host, IpamScript, Place, Trace, in_every_version, needs};
use serde_json::json;

use crate::host_device::{MAC, add_device, conf, layer2, records, state, with_device};

in_every_version!(result as result_shape);

fn result(version: &str) {
    let host = with_device();
    let before = host.after_one_container("host-device", &conf());
    let pod = host.container("pod");
    let conf = conf().version(version);
    let result = host.plugin("host-device").add(&conf, &pod, "eth0").result();
    let (v4, v6) = (json!("10.9.0.3/24"), json!("fd00:9::3/64"));
    let expected = if version < "0.3.0" {
        json!({
            "cniVersion": version, "dns": {},
            "ip4": { "ip": v4, "gateway": "10.9.0.1" }, "ip6": { "ip": v6, "gateway": "fd00:9::1" },
        })
    } else {
        let mut expected = json!({
            "cniVersion": version,
            "interfaces": [{ "name": "eth0", "mac": MAC, "sandbox": "/run/netns/pod" }],
            "ips": [
                { "interface": 0, "address": v4, "gateway": "10.9.0.1" },
                { "interface": 0, "address": v6, "gateway": "fd00:9::1" },
            ],
        });
        if version == "1.1.0" {
            expected["interfaces"][0]["mtu"] = json!(1400);
        } else if version != "1.0.0" {
            expected["dns"] = json!({});
            expected["ips"][0]["version"] = json!("4");
            expected["ips"][1]["version"] = json!("6");
        }
        expected
    };
    assert_eq!(result, expected);
    assert!(host.find_link("ens5").is_none());
    assert_eq!(pod.addresses("eth0"), ["10.9.0.3/24", "fd00:9::3/64"]);
    assert!(pod.pings("10.9.0.1") && pod.pings("fd00:9::1"));
    let conf = conf.prev(&result);
    if version >= "0.4.0" {
        host.plugin("host-device").check(&conf, &pod, "eth0").done();
    }
    host.plugin("host-device").del(&conf, &pod, "eth0").done();
    host.snapshot().assert_same_as(&before, "DEL");
}

#[test]
fn layer_2_is_up_with_its_address_and_mtu() {
    let host = with_device();
    let before = state(&host, "ens5");
    let pod = host.container("pod");
    let result = host.plugin("host-device").add(&layer2(), &pod, "eth0").result();
    assert_eq!(result["interfaces"][0]["mac"], MAC);
    assert_eq!(result.get("ips"), None);
    assert_eq!(
        state(&pod, "eth0"),
        json!(["eth0", "ens5", MAC, 1400, "veth", ["ALLMULTI", "BROADCAST", "UP"]]),
        "its name on the host is its alias"
    );
    host.plugin("host-device").del(&layer2(), &pod, "eth0").done();
    assert_eq!(state(&host, "ens5"), before);
    assert_eq!(records(), [""; 0]);
}

#[test]
fn versions_without_a_result_for_layer_2_leave_the_device_on_the_host() {
    for version in ["0.1.0", "0.2.0"] {
        let host = with_device();
        let before = host.snapshot();
        let pod = host.container("pod");
        let error = host.plugin("host-device").add(&layer2().version(version), &pod, "eth0").error();
        error.says(2, &["no valid IP addresses"]);
        let left = host.snapshot().since(&before);
        assert!(left.iter().all(|line| line.starts_with("+ directory")), "{left:?}");
    }
}

#[test]
fn dns_of_the_configuration_and_routes_of_ipam() {
    let host = with_device();
    let pod = host.container("pod");
    let conf = conf()
        .set("dns", json!({ "nameservers": ["10.9.0.1"] }))
        .ipam("routes", json!([{ "dst": "0.0.0.0/0" }]));
    let result = host.plugin("host-device").add(&conf, &pod, "eth0").result();
    assert_eq!(result["dns"], json!({ "nameservers": ["10.9.0.1"] }));
    assert_eq!(pod.routes("-4", "default")[0]["gateway"], "10.9.0.1");
}

#[test]
fn dns_of_ipam_where_the_configuration_has_none() {
    let host = with_device();
    let pod = host.container("pod");
    let answer = json!({ "cniVersion": "1.1.0", "ips": [{ "address": "10.9.0.9/24" }], "dns": { "domain": "a.example" } });
    let ipam = IpamScript::that_prints(&host, &answer.to_string());
    let result = host.plugin("host-device").add(&ipam.for_conf(conf()), &pod, "eth0").result();
    assert_eq!(result["dns"], answer["dns"]);
}

#[test]
fn names_that_are_in_use_on_the_other_side_are_not_disturbed() {
    let host = with_device();
    let pod = host.container("pod");
    let far = host.container("far2");
    // The container has an ens5 of its own, the host an eth0.
    pod.run("ip link add ens5 type veth peer name other");
    add_device(&host, "eth0", &far, "wire");
    let (inside, outside) = (state(&pod, "ens5"), state(&host, "eth0"));
    let before = state(&host, "ens5");
    host.plugin("host-device").add(&conf(), &pod, "eth0").result();
    assert_eq!((state(&pod, "ens5"), state(&host, "eth0")), (inside.clone(), outside.clone()));
    assert!(pod.pings("10.9.0.1"));
    host.plugin("host-device").del(&conf(), &pod, "eth0").done();
    assert_eq!((state(&pod, "ens5"), state(&host, "eth0")), (inside, outside));
    assert_eq!(state(&host, "ens5"), before);
}

#[test]
fn an_alias_comes_back_and_a_device_that_was_down_stays_down() {
    let host = with_device();
    let pod = host.container("pod");
    for change in ["alias uplink", "down", "promisc on", "mtu 1500", "arp off"] {
        host.run(&format!("ip link set ens5 {change}"));
        let before = state(&host, "ens5");
        host.plugin("host-device").add(&layer2(), &pod, "eth0").result();
        assert!(pod.link("eth0")["flags"].as_array().unwrap().contains(&json!("UP")));
        host.plugin("host-device").del(&layer2(), &pod, "eth0").done();
        assert_eq!(state(&host, "ens5"), before, "{change}");
    }
}

/// `IFLA_NET_NS_FD` is what moves a link; the reference needs two moves each way, and a namespace in between.
#[test]
fn one_request_moves_it_and_no_namespace_is_made() {
    needs!(Strace);
    let host = with_device();
    let pod = host.container("pod");
    for verb in ["ADD", "DEL"] {
        let trace = Trace::new(&["trace=sendto,unshare,clone,clone3"]).without_children();
        let call = host.plugin("host-device").under(&trace.command());
        match verb {
            "ADD" => drop(call.add(&layer2(), &pod, "eth0").result()),
            _ => call.del(&layer2(), &pod, "eth0").done(),
        }
        let lines = trace.lines();
        // A thread opens the socket in the container's namespace.
        let makes_one = |l: &&String| l.contains("unshare") || l.contains("CLONE_NEWNET");
        assert_eq!(lines.iter().find(makes_one), None, "{verb}: {lines:?}");
        // strace does not decode what goes through a socket of another namespace.
        let moves = |line: &&String| line.contains("IFLA_NET_NS_FD") || line.contains(r"\x08\x00\x1c\x00");
        assert_eq!(lines.iter().filter(moves).count(), 1, "{verb}: {lines:?}");
    }
}

#[test]
fn ipam_that_fails_gives_the_device_back() {
    let host = with_device();
    let before = host.after_one_container("host-device", &layer2());
    let device = state(&host, "ens5");
    let pod = host.container("pod");
    let failing = IpamScript::that_fails(&host, 107, "no more");
    host.plugin("host-device").add(&failing.for_conf(conf()), &pod, "eth0").error().says(107, &["no more"]);
    assert_eq!(failing.calls(), ["ADD", "DEL"]);
    let empty = IpamScript::that_prints(&host, r#"{"cniVersion":"1.1.0"}"#);
    host.plugin("host-device").add(&empty.for_conf(conf()), &pod, "eth0").error().says(102, &["missing IP"]);
    let wrong = json!({ "cniVersion": "1.1.0", "ips": [{ "address": "10.9.0.9/24" }],
        "routes": [{ "dst": "10.8.0.0/24", "gw": "fd00::1" }] });
    let wrong = IpamScript::that_prints(&host, &wrong.to_string());
    host.plugin("host-device").add(&wrong.for_conf(conf()), &pod, "eth0").error().says(7, &["fd00::1"]);
    let missing = conf().set("ipam", json!({ "type": "missing" }));
    host.plugin("host-device").add(&missing, &pod, "eth0").error().says(7, &["missing"]);
    assert_eq!(state(&host, "ens5"), device);
    assert!(pod.find_link("eth0").is_none());
    host.snapshot().assert_same_as(&before, "failed ADDs");
}

#[test]
fn devices_of_other_kinds() {
    let host = Host::new();
    let pod = host.container("pod");
    host.run("ip link add base type veth peer name other");
    for kind in ["macvlan link base mode bridge", "vxlan id 7 dstport 4789 local 127.0.0.1", "ifb"] {
        let (kind, rest) = kind.split_once(' ').unwrap_or((kind, ""));
        let link = rest.strip_prefix("link base ").map_or("", |_| "link base");
        let rest = rest.trim_start_matches("link base ");
        host.run(&format!("ip link add dev0 {link} type {kind} {rest}"));
        host.run("ip link set dev0 up");
        let before = state(&host, "dev0");
        let conf: Conf = layer2().set("device", "dev0");
        host.plugin("host-device").add(&conf, &pod, "net1").result();
        assert_eq!(pod.link("net1")["linkinfo"]["info_kind"], kind);
        host.plugin("host-device").del(&conf, &pod, "net1").done();
        assert_eq!(state(&host, "dev0"), before);
        host.run("ip link del dev0");
    }
}
