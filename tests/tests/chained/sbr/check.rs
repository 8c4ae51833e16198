//! CHECK passes right after ADD (`golden.rs`) and names each single change.

use cni_tests::{Host, Place};
use serde_json::json;

use crate::sbr::dual_stack;

#[test]
fn each_change_is_found() {
    let mutations: [(&str, &[&str]); 8] = [
        ("ip rule del from 10.1.0.2 lookup 100", &["10.1.0.2", "no rule"]),
        ("ip -6 rule del from fd00:1::2 lookup 101", &["fd00:1::2", "no rule"]),
        ("ip rule add from 10.1.0.2 lookup 500", &["10.1.0.2", "500"]),
        ("ip route del default table 100", &["0.0.0.0/0", "table 100", "eth0"]),
        ("ip -6 route del default table 101", &["::/0", "table 101"]),
        ("ip route del 10.1.0.0/24 table 100", &["10.1.0.0/24", "table 100"]),
        ("ip route del 10.9.0.0/16 table 100", &["10.9.0.0/16 via 10.1.0.9", "table 100"]),
        ("ip link del eth0", &["eth0", "gone"]),
    ];
    for (mutation, parts) in mutations {
        let host = Host::new();
        let (pod, conf) = dual_stack(&host);
        pod.run("ip route add 10.9.0.0/16 via 10.1.0.9");
        let mut result = host.plugin("sbr").add(&conf, &pod, "eth0").result();
        result["routes"] = json!([{ "dst": "10.9.0.0/16", "gw": "10.1.0.9" }]);
        let conf = conf.prev(&result);
        host.plugin("sbr").check(&conf, &pod, "eth0").done();
        pod.run(mutation);
        host.plugin("sbr").check(&conf, &pod, "eth0").error().says(103, parts);
    }
}

#[test]
fn another_gateway_and_another_table_are_found() {
    let host = Host::new();
    let (pod, conf) = dual_stack(&host);
    let conf = conf.set("gateways", json!(["10.1.0.7"]));
    host.plugin("sbr").add(&conf, &pod, "eth0").result();
    pod.run("ip route replace default via 10.1.0.8 table 100");
    host.plugin("sbr").check(&conf, &pod, "eth0").error().says(103, &["0.0.0.0/0 via 10.1.0.7"]);
    let other = conf.set("table", 300);
    host.plugin("sbr").check(&other, &pod, "eth0").error().says(103, &["table 100", "300", "10.1.0.2"]);
}

#[test]
fn it_needs_a_prev_result_and_changes_nothing() {
    let host = Host::new();
    let (pod, conf) = dual_stack(&host);
    host.plugin("sbr").check(&conf, &pod, "eth0").error().says(103, &["no rule"]);
    host.plugin("sbr").add(&conf, &pod, "eth0").result();
    let before = crate::sbr::state(&host, &pod);
    host.plugin("sbr").check(&conf, &pod, "eth0").done();
    assert_eq!(crate::sbr::state(&host, &pod), before);
    host.plugin("sbr").check(&conf.remove("prevResult"), &pod, "eth0").error().says(7, &["prevResult"]);
}
