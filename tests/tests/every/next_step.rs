//! Errors say what to do next.

use cni_tests::{Conf, Host, Place};
use serde_json::{Value, json};

/// Those whose CHECK compares with the result of ADD and needs nothing else to say that it is not there.
#[test]
fn check_without_the_result_of_add_says_where_it_comes_from() {
    let host = Host::new();
    let pod = host.container("pod");
    let ipam =
        json!({ "type": "static", "addresses": [{ "address": "10.1.0.2/24", "gateway": "10.1.0.1" }] });
    let conf = |plugin: &str, keys: Value| {
        let mut conf = json!({ "cniVersion": "1.0.0", "name": "net", "type": plugin });
        conf.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
        Conf::new(conf)
    };
    for (plugin, keys) in [
        ("bridge", json!({})),
        ("ptp", json!({ "ipam": ipam })),
        ("tap", json!({})),
        ("macvlan", json!({ "master": "lo" })),
        ("static", json!({ "ipam": ipam })),
        ("dhcp", json!({ "ipam": { "type": "dhcp" } })),
    ] {
        let error = host.plugin(plugin).check(&conf(plugin, keys), &pod, "eth0").error();
        println!("{plugin}: {error:?}");
        error.says(7, &["Required prevResult missing", "make the container anew", "`cnitool check`"]);
    }
}

#[test]
fn a_loopback_that_is_down_names_the_command() {
    let host = Host::new();
    let pod = host.container("pod");
    let conf = Conf::loopback();
    let result = host.plugin("loopback").add(&conf, &pod, "lo").result();
    pod.run("ip link set lo down");
    let error = host.plugin("loopback").check(&conf.prev(&result), &pod, "lo").error();
    error.says(103, &["lo is down", "`ip link set lo up`"]);
}

#[test]
fn a_name_that_vrf_cannot_have_is_answered_with_the_key_to_change() {
    let host = Host::new();
    let pod = host.container("pod");
    host.pair(&pod, "h-eth0", "eth0", &["10.1.0.2/24"]);
    pod.run("ip link add blue type bridge");
    let result =
        json!({ "cniVersion": "1.0.0", "interfaces": [{ "name": "eth0", "sandbox": "/run/netns/pod" }] });
    let conf = json!({ "cniVersion": "1.0.0", "name": "net", "type": "vrf", "vrfname": "blue" });
    let error = host.plugin("vrf").add(&Conf::new(conf).prev(&result), &pod, "eth0").error();
    error.says(7, &["is no VRF", "choose another \"vrfname\""]);
}

#[test]
fn gateways_of_sbr_that_cannot_be_used_are_answered_with_what_to_leave_out() {
    let host = Host::new();
    let pod = host.container("pod");
    host.pair(&pod, "h-eth0", "eth0", &["10.1.0.2/24"]);
    let behind = |gateway: &str, conf: Value| {
        Conf::new(conf).prev(&json!({ "cniVersion": "1.0.0",
            "interfaces": [{ "name": "eth0", "sandbox": "/run/netns/pod" }],
            "ips": [{ "address": "10.1.0.2/24", "gateway": gateway, "interface": 0 }] }))
    };
    let conf = json!({ "cniVersion": "1.0.0", "name": "net", "type": "sbr" });
    let error = host.plugin("sbr").add(&behind("fd00::1", conf.clone()), &pod, "eth0").error();
    error.says(7, &["of the other address family", "the key \"gateways\""]);
    let two = Conf::new(conf).set("gateways", json!(["10.1.0.1", "10.1.0.3"]));
    let error =
        host.plugin("sbr").add(&behind("10.1.0.1", serde_json::from_str(&two.text()).unwrap()), &pod, "eth0");
    error.error().says(7, &["there can be one", "leave one of the two out"]);
}
