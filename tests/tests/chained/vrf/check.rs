//! CHECK passes right after ADD (`golden.rs`) and names each single change.

use cni_tests::{Host, Place, needs};
use serde_json::json;

use crate::vrf::{dual_stack, state};

#[test]
fn each_change_is_found() {
    needs!(Vrf);
    let mutations: [(&str, &[&str]); 10] = [
        ("ip link set eth0 nomaster", &["eth0", "not in VRF red"]),
        ("ip link del red", &["VRF red", "gone"]),
        ("ip link set red down", &["VRF red", "down"]),
        ("ip link del eth0", &["eth0", "gone"]),
        ("ip -4 address del 10.1.0.2/24 dev eth0", &["10.1.0.2/24", "eth0"]),
        ("ip -6 address del fd00:1::2/64 dev eth0", &["fd00:1::2/64", "eth0"]),
        ("ip route del 10.1.0.0/24 table 1", &["10.1.0.0/24", "table 1"]),
        ("ip -6 route del fd00:1::/64 table 1", &["fd00:1::/64", "table 1"]),
        ("ip route del 10.9.0.0/16 table 1", &["10.9.0.0/16 via 10.1.0.9", "table 1"]),
        ("ip route del default table 1", &["0.0.0.0/0", "table 1"]),
    ];
    for (mutation, parts) in mutations {
        let host = Host::new();
        let (pod, conf) = dual_stack(&host);
        let mut result = host.plugin("vrf").add(&conf, &pod, "eth0").result();
        result["routes"] = json!([{ "dst": "10.9.0.0/16", "gw": "10.1.0.9" }, { "dst": "0.0.0.0/0" }]);
        let conf = conf.prev(&result);
        host.plugin("vrf").check(&conf, &pod, "eth0").done();
        pod.run(mutation);
        host.plugin("vrf").check(&conf, &pod, "eth0").error().says(103, parts);
    }
}

#[test]
fn another_table_another_kind_and_no_prev_result() {
    needs!(Vrf);
    let host = Host::new();
    let (pod, conf) = dual_stack(&host);
    host.plugin("vrf").add(&conf, &pod, "eth0").result();
    let before = state(&host, &pod);
    host.plugin("vrf").check(&conf, &pod, "eth0").done();
    assert_eq!(state(&host, &pod), before, "it changes nothing");
    let check = |conf| host.plugin("vrf").check(&conf, &pod, "eth0").error();
    check(conf.clone().set("table", 9)).says(103, &["red", "different routing table", "9"]);
    check(conf.clone().set("vrfname", "eth0")).says(103, &["eth0", "no VRF"]);
    check(conf.clone().remove("prevResult")).says(7, &["prevResult"]);
    check(conf.remove("vrfname")).says(7, &["vrfname"]);
}
