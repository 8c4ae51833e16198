//! `macspoofchk`: a container sends from its own MAC address or not at all.

use cni_tests::{Conf, Host, Place};

fn conf() -> Conf {
    Conf::bridge().set("isGateway", true).set("macspoofchk", true)
}

#[test]
fn frames_from_another_mac_are_dropped() {
    let host = Host::new();
    let pod = host.container("pod");
    host.plugin("bridge").add(&conf(), &pod, "eth0").result();
    assert!(pod.pings("10.22.0.1"));
    let own = pod.link("eth0")["address"].as_str().unwrap().to_owned();
    pod.run("ip link set eth0 address 0a:00:00:00:00:66");
    assert!(!pod.pings("10.22.0.1"));
    pod.run(&format!("ip link set eth0 address {own}"));
    assert!(pod.pings("10.22.0.1"));
}

#[test]
fn other_containers_are_not_concerned() {
    let host = Host::new();
    let (checked, free) = (host.container("checked"), host.container("free"));
    host.plugin("bridge").add(&conf(), &checked, "eth0").result();
    host.plugin("bridge").add(&conf().set("macspoofchk", false), &free, "eth0").result();
    free.run("ip link set eth0 address 0a:00:00:00:00:66");
    assert!(free.pings("10.22.0.1"));
}

#[test]
fn the_rules_are_the_references() {
    let host = Host::new();
    let pod = host.container("pod");
    let result = host.plugin("bridge").add(&conf(), &pod, "eth0").result();
    let rules = host.run("nft list table bridge nat");
    let port = result["interfaces"][1]["name"].as_str().unwrap();
    let mac = result["interfaces"][2]["mac"].as_str().unwrap();
    for part in [
        "chain PREROUTING",
        "priority dstnat; policy accept;",
        &format!(r#"iifname "{port}" jump cni-br-iface-pod-eth0 "#),
        "chain cni-br-iface-pod-eth0 {",
        "jump cni-br-iface-pod-eth0-mac ",
        "chain cni-br-iface-pod-eth0-mac {",
        &format!("ether saddr {mac} return"),
    ] {
        assert!(rules.contains(part), "{part:?} is not in {rules}");
    }
    assert_eq!(rules.matches(r#"comment "macspoofchk-pod-eth0""#).count(), 4, "{rules}");
}

#[test]
fn del_removes_them_without_netns_prev_result_and_even_the_key() {
    let host = Host::new();
    let before = host.after_one_container("bridge", &conf());
    let pod = host.container("pod");
    host.plugin("bridge").add(&conf(), &pod, "eth0").result();
    pod.remove_netns();
    host.plugin("bridge").without("CNI_NETNS").del(&conf().set("macspoofchk", false), &pod, "eth0").done();
    host.snapshot().assert_same_as(&before, "DEL");
}

#[test]
fn the_longest_container_id_works() {
    let host = Host::new();
    let before = host.after_one_container("bridge", &conf());
    let pod = host.container("pod");
    // Runtimes use 64 hex digits; 200 bytes exceed what the reference's chain names can hold.
    for length in [64, 200] {
        let id = "c".repeat(length);
        let call = || host.plugin("bridge").env("CNI_CONTAINERID", &id);
        call().add(&conf(), &pod, "eth0").result();
        assert!(pod.pings("10.22.0.1"), "{length}");
        pod.run("ip link set eth0 address 0a:00:00:00:00:66");
        assert!(!pod.pings("10.22.0.1"), "{length}");
        call().del(&conf(), &pod, "eth0").done();
        host.snapshot().assert_same_as(&before, "DEL");
    }
}

#[test]
fn check_misses_them() {
    let host = Host::new();
    let pod = host.container("pod");
    let result = host.plugin("bridge").add(&conf(), &pod, "eth0").result();
    host.plugin("bridge").check(&conf().prev(&result), &pod, "eth0").done();
    host.run("nft flush table bridge nat");
    let error = host.plugin("bridge").check(&conf().prev(&result), &pod, "eth0").error();
    assert!(error.text.to_lowercase().contains("spoof"), "{error:?}");
}
