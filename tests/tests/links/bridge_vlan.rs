//! Plugin `bridge` with VLANs: what each port carries, the gateway's own link, packets.

use cni_tests::{Conf, Container, Host, Need, Place, needs};
use serde_json::{Value, json};

/// The VLANs of a port as `bridge vlan` shows them: `100 pvid untagged`.
fn vlans(host: &Host, port: &str) -> Vec<String> {
    let ports = host.json("bridge -j vlan show");
    let port = ports.as_array().unwrap().iter().find(|p| p["ifname"] == port);
    let vlans = port.and_then(|p| p["vlans"].as_array().cloned()).unwrap_or_default();
    let text = |v: &Value| {
        let flags = v.get("flags").and_then(Value::as_array).cloned().unwrap_or_default();
        let flags = flags.iter().map(|f| f.as_str().unwrap().to_lowercase().replace("egress ", ""));
        let end = v.get("vlanEnd").map(|end| format!("-{end}")).unwrap_or_default();
        [vec![format!("{}{end}", v["vlan"])], flags.collect()].concat().join(" ")
    };
    vlans.iter().map(text).collect()
}

fn add(host: &Host, conf: &Conf, id: &str) -> (Container, Value, String) {
    let pod = host.container(id);
    let result = host.plugin("bridge").add(conf, &pod, "eth0").result();
    let port = result["interfaces"][1]["name"].as_str().unwrap().to_owned();
    (pod, result, port)
}

#[test]
fn an_access_port_has_its_vlan_and_no_other() {
    needs!(BridgeVlan);
    let host = Host::new();
    let (_, result, port) = add(&host, &Conf::layer2_bridge().set("vlan", 100), "pod");
    assert_eq!(host.link("br0")["linkinfo"]["info_data"]["vlan_filtering"], 1);
    assert_eq!(vlans(&host, &port), ["100 pvid untagged"]);
    assert_eq!(result["interfaces"].as_array().unwrap().len(), 3);
}

#[test]
fn preserve_default_vlan_keeps_vlan_1() {
    needs!(BridgeVlan);
    let host = Host::new();
    let conf = Conf::layer2_bridge().set("vlan", 100).set("preserveDefaultVlan", true);
    let (_, _, port) = add(&host, &conf, "pod");
    assert_eq!(vlans(&host, &port), ["1 untagged", "100 pvid untagged"]);
}

#[test]
fn a_trunk_has_vlan_1_as_native() {
    needs!(BridgeVlan);
    let host = Host::new();
    let trunk = json!([{ "minID": 102, "maxID": 103 }, { "id": 200 }, { "id": 101 }, { "id": 200 }]);
    let (_, _, port) = add(&host, &Conf::layer2_bridge().set("vlanTrunk", trunk), "pod");
    assert_eq!(vlans(&host, &port), ["1 pvid untagged", "101", "102", "103", "200"]);
}

#[test]
fn a_trunk_with_a_vlan_has_it_as_native() {
    needs!(BridgeVlan);
    let host = Host::new();
    let conf =
        Conf::layer2_bridge().set("vlan", 50).set("vlanTrunk", json!([{ "minID": 100, "maxID": 101 }]));
    let (_, _, port) = add(&host, &conf, "pod");
    assert_eq!(vlans(&host, &port), ["50 pvid untagged", "100", "101"]);
}

#[test]
fn an_empty_trunk_only_turns_filtering_on() {
    needs!(BridgeVlan);
    let host = Host::new();
    let (_, _, port) = add(&host, &Conf::layer2_bridge().set("vlanTrunk", json!([])), "pod");
    assert_eq!(host.link("br0")["linkinfo"]["info_data"]["vlan_filtering"], 1);
    assert_eq!(vlans(&host, &port), ["1 pvid untagged"]);
}

#[test]
fn all_4094_vlans_fit_on_a_trunk() {
    needs!(BridgeVlan);
    let host = Host::new();
    let conf = Conf::layer2_bridge().set("vlanTrunk", json!([{ "minID": 1, "maxID": 4094 }]));
    let (pod, result, port) = add(&host, &conf, "pod");
    assert!(vlans(&host, &port).len() >= 2);
    assert!(host.run(&format!("bridge -c vlan show dev {port}")).contains("4094"));
    host.plugin("bridge").check(&conf.prev(&result), &pod, "eth0").done();
}

#[test]
fn the_gateway_of_a_vlan_is_a_link_of_its_own() {
    needs!(BridgeVlan);
    let host = Host::new();
    let conf = Conf::dual_stack_bridge().set("isDefaultGateway", true).set("vlan", 100);
    let (one, result, port) = add(&host, &conf, "one");
    let interfaces = result["interfaces"].as_array().unwrap();
    assert_eq!(interfaces.len(), 4);
    assert_eq!(
        (&interfaces[3]["name"], &interfaces[3]["mac"]),
        (&json!("br0.100"), &host.link("br0.100")["address"])
    );
    assert_eq!(host.addresses("br0.100"), ["10.22.0.1/24", "fd00:22::1/64"]);
    assert!(host.addresses("br0").is_empty());
    assert_eq!(vlans(&host, &port), ["100 pvid untagged"]);
    let peer = host.ip("link show").into_iter().find(|l| l["link"] == "br0.100").unwrap();
    assert_eq!(peer["master"], "br0");
    assert_eq!(vlans(&host, peer["ifname"].as_str().unwrap()), ["100 pvid untagged"]);
    // lo, the bridge, the gateway's pair, one port per container: the gateway's link is reused.
    assert_eq!(host.ip("link show").len(), 5);
    let (two, ..) = add(&host, &conf, "two");
    assert_eq!(host.ip("link show").len(), 6);
    for target in ["10.22.0.1", "fd00:22::1", "10.22.0.3"] {
        assert!(one.pings(target), "{target}");
    }
    assert!(two.pings("10.22.0.2"));
}

#[test]
fn vlans_are_separate() {
    needs!(BridgeVlan);
    let host = Host::new();
    let pods: Vec<_> = [100, 100, 200]
        .iter()
        .enumerate()
        .map(|(n, vlan)| add(&host, &Conf::layer2_bridge().set("vlan", *vlan), &format!("pod{n}")).0)
        .collect();
    for (n, pod) in pods.iter().enumerate() {
        pod.run(&format!("ip address add 192.0.2.{}/24 dev eth0", n + 1));
    }
    assert!(pods[0].pings("192.0.2.2"));
    assert!(!pods[0].pings("192.0.2.3"));
}

#[test]
fn check_compares_the_vlans() {
    needs!(BridgeVlan);
    let host = Host::new();
    let conf = Conf::bridge().set("vlan", 100).set("vlanTrunk", json!([{ "id": 101 }]));
    let (pod, result, port) = add(&host, &conf, "pod");
    let conf = conf.prev(&result);
    host.plugin("bridge").check(&conf, &pod, "eth0").done();
    host.run(&format!("bridge vlan del dev {port} vid 101"));
    let error = host.plugin("bridge").check(&conf, &pod, "eth0").error();
    assert!(error.text.contains("VLAN") && error.text.contains("101"), "{error:?}");
}

#[test]
fn check_looks_at_the_gateways_link() {
    needs!(BridgeVlan);
    let host = Host::new();
    let conf = Conf::dual_stack_bridge().set("isGateway", true).set("vlan", 100);
    let (pod, result, _) = add(&host, &conf, "pod");
    let conf = conf.prev(&result);
    let check = || host.plugin("bridge").check(&conf, &pod, "eth0");
    check().done();
    let port = host.ip("link show").into_iter().find(|l| l["link"] == "br0.100").unwrap();
    let port = port["ifname"].as_str().unwrap();
    for (break_it, mend_it, parts) in [
        ("ip link set br0.100 down", "ip link set br0.100 up", &["br0.100", "down"][..]),
        (
            "ip -4 address flush dev br0.100",
            "ip address add 10.22.0.1/24 dev br0.100",
            &["br0.100", "10.22.0.1/24"],
        ),
        (
            &format!("bridge vlan del dev {port} vid 100"),
            &format!("bridge vlan add dev {port} vid 100 pvid untagged"),
            &["VLAN", port],
        ),
        (
            "ip link set br0 type bridge vlan_filtering 0",
            "ip link set br0 type bridge vlan_filtering 1",
            &["br0", "filter"],
        ),
    ] {
        host.run(break_it);
        check().error().says(103, parts);
        host.run(mend_it);
        if break_it.contains("down") {
            // The kernel has forgotten it.
            host.sh("ip -6 address show dev br0.100 | grep -q fd00:22::1 || ip address add fd00:22::1/64 dev br0.100 nodad");
        }
        check().done();
    }
    host.run("ip link del br0.100");
    check().error().says(103, &["br0.100"]);
}

/// A kernel without the option refuses to make one that filters, and says no more than that it is not supported.
#[test]
fn a_kernel_that_cannot_filter_is_told_so_and_no_bridge_is_made() {
    let host = Host::new();
    host.run("ip link add plain type bridge");
    let can_filter = Need::BridgeVlan.is_met();
    let trunk = Conf::layer2_bridge().set("vlanTrunk", json!([{ "id": 5 }]));
    for conf in [Conf::layer2_bridge().set("vlan", 100), trunk] {
        let pod = host.container("pod");
        let conf = conf.version("1.1.0");
        let before = host.snapshot();
        for conf in [conf.clone().set("bridge", "plain"), conf] {
            let add = host.plugin("bridge").add(&conf, &pod, "eth0");
            let status = host.plugin("bridge").status(&conf);
            if !can_filter {
                add.error().says(100, &["cannot filter VLANs", "CONFIG_BRIDGE_VLAN_FILTERING"]);
                status.error().says(50, &["cannot filter VLANs", "CONFIG_BRIDGE_VLAN_FILTERING"]);
                host.snapshot().assert_same_as(&before, "a refused ADD");
            } else if add.exit == Some(1) {
                add.error().says(7, &["plain", "vlan_filtering 1"]);
            } else {
                assert_eq!(host.link("br0")["linkinfo"]["info_data"]["vlan_filtering"], 1);
                status.done();
            }
        }
        pod.remove_netns();
    }
}

#[test]
fn del_leaves_nothing_but_the_gateway() {
    needs!(BridgeVlan);
    let host = Host::new();
    let conf = Conf::dual_stack_bridge().set("isGateway", true).set("vlan", 100);
    let before = host.after_one_container("bridge", &conf);
    let (pod, result, _) = add(&host, &conf, "pod");
    host.plugin("bridge").del(&conf.prev(&result), &pod, "eth0").done();
    host.snapshot().assert_same_as(&before, "DEL");
}

#[test]
fn a_bridge_made_without_filtering_is_refused_with_the_command_that_helps() {
    needs!(BridgeVlan);
    let host = Host::new();
    host.plugin("bridge").add(&Conf::layer2_bridge(), &host.container("plain"), "eth0").result();
    let before = host.snapshot();
    let conf = Conf::layer2_bridge().set("vlan", 100);
    let pod = host.container("pod");
    let error = host.plugin("bridge").add(&conf, &pod, "eth0").error();
    error.says(7, &["br0", "ip link set br0 type bridge vlan_filtering 1"]);
    assert!(pod.find_link("eth0").is_none());
    host.snapshot().assert_same_as(&before, "a refused ADD");
    host.run("ip link set br0 type bridge vlan_filtering 1");
    host.plugin("bridge").add(&conf, &pod, "eth0").result();
}

#[test]
fn the_gateways_link_needs_a_name_that_fits() {
    needs!(BridgeVlan);
    let host = Host::new();
    let conf = Conf::bridge().set("bridge", "fourteen-chars").set("isGateway", true).set("vlan", 100);
    let before = host.snapshot();
    let error = host.plugin("bridge").add(&conf, &host.container("pod"), "eth0").error();
    assert!(error.text.contains("fourteen-chars.100") && error.text.contains("15"), "{error:?}");
    let left = host.snapshot().since(&before);
    assert!(left.iter().all(|l| l.contains("/var/lib/cni/networks")), "{left:?}");
}
