//! CHECK passes right after ADD and names each single change.

use cni_tests::{Host, Place};
use serde_json::json;

use crate::tuning::{attached, attributes, everything};

#[test]
fn a_list_of_numbers_passes_check() {
    let host = Host::new();
    let (pod, conf) = attached(&host);
    let conf = conf.set("sysctl", json!({ "net.ipv4.ping_group_range": "0 1000" }));
    host.plugin("tuning").add(&conf, &pod, "eth0").result();
    assert_eq!(pod.sysctl("ipv4/ping_group_range"), "0\t1000");
    host.plugin("tuning").check(&conf, &pod, "eth0").done();
}

#[test]
fn all_multicast_can_be_switched_off_promiscuous_mode_cannot() {
    let host = Host::new();
    let (pod, conf) = attached(&host);
    pod.run("ip link set eth0 promisc on allmulticast on");
    let conf = conf.set("promisc", false).set("allmulti", false);
    host.plugin("tuning").add(&conf, &pod, "eth0").result();
    let (.., promisc, allmulti, _) = attributes(&pod);
    assert!(promisc && !allmulti);
    host.plugin("tuning").check(&conf, &pod, "eth0").error().says(103, &["promisc", "eth0", "on", "off"]);
    host.plugin("tuning").del(&conf, &pod, "eth0").done();
    let (.., promisc, allmulti, _) = attributes(&pod);
    assert!(promisc && allmulti);
}

#[test]
fn check_finds_each_change() {
    let mutations: [(&str, &[&str]); 7] = [
        ("ip link set eth0 address 0a:00:00:00:00:77", &["mac", "0a:00:00:00:00:77", "0a:00:00:00:00:0a"]),
        ("ip link set eth0 mtu 1401", &["mtu", "1401", "1400"]),
        ("ip link set eth0 promisc off", &["promisc", "off"]),
        ("ip link set eth0 allmulticast off", &["allmulti", "off"]),
        ("ip link set eth0 txqueuelen 78", &["txQLen", "78", "77"]),
        ("sysctl -w net.ipv4.conf.eth0.tag=8", &["net.ipv4.conf.IFNAME.tag", "8", "7"]),
        ("ip link del eth0", &["eth0"]),
    ];
    for (mutation, parts) in mutations {
        let host = Host::new();
        let (pod, conf) = attached(&host);
        let conf = everything(conf).set("sysctl", json!({ "net.ipv4.conf.IFNAME.tag": "7" }));
        let result = host.plugin("tuning").add(&conf, &pod, "eth0").result();
        let conf = conf.prev(&result);
        host.plugin("tuning").check(&conf, &pod, "eth0").done();
        pod.run(mutation);
        host.plugin("tuning").check(&conf, &pod, "eth0").error().says(103, parts);
    }
}
