//! The keys `gateways` and `addSourceHints`.

use cni_tests::{Host, Place};
use serde_json::json;

use crate::sbr::{attached, conf, dual_stack, routes};

#[test]
fn configured_gateways_replace_those_of_their_family() {
    let host = Host::new();
    let (pod, conf) = dual_stack(&host);
    let conf = conf.set("gateways", json!(["fd00:1::9"]));
    host.plugin("sbr").add(&conf, &pod, "eth0").result();
    host.plugin("sbr").check(&conf, &pod, "eth0").done();
    let defaults = |table: &str| -> Vec<String> {
        routes(&pod).into_iter().filter(|line| line.starts_with(&format!("{table} default"))).collect()
    };
    assert_eq!(defaults("100"), ["100 default via 10.1.0.1"]);
    assert_eq!(defaults("101"), ["101 default via fd00:1::9"]);
    assert!(defaults("main").is_empty());
}

#[test]
fn gateways_of_both_families_and_none_in_the_result() {
    let host = Host::new();
    let pod = attached(&host, &["10.1.0.2/24", "fd00:1::2/64"]);
    let conf = conf(&[("10.1.0.2/24", ""), ("fd00:1::2/64", "")]);
    let conf = conf.set("gateways", json!(["10.1.0.254", "fd00:1::fe"]));
    host.plugin("sbr").add(&conf, &pod, "eth0").result();
    host.plugin("sbr").check(&conf, &pod, "eth0").done();
    assert_eq!(
        pod.run("ip route get 192.0.2.1 from 10.1.0.2").split(" dev").next().unwrap(),
        "192.0.2.1 from 10.1.0.2 via 10.1.0.254"
    );
    let ipv6 = pod.run("ip -6 route get 2001:db8::1 from fd00:1::2");
    assert!(ipv6.contains("via fd00:1::fe"), "{ipv6}");
}

#[test]
fn hints_keep_the_networks_in_the_main_table() {
    let host = Host::new();
    let (pod, conf) = dual_stack(&host);
    pod.run("ip address add 10.2.0.2/24 dev eth0");
    pod.run("ip route add 10.9.0.0/16 dev eth0");
    let prev = |ips: &[(&str, &str)]| crate::sbr::conf(ips).set("addSourceHints", true);
    let ips = [("10.1.0.2/24", "10.1.0.1"), ("10.2.0.2/24", ""), ("fd00:1::2/64", "fd00:1::1")];
    drop(conf);
    let conf = prev(&ips);
    host.plugin("sbr").add(&conf, &pod, "eth0").result();
    host.plugin("sbr").check(&conf, &pod, "eth0").done();
    let main: Vec<_> = routes(&pod).into_iter().filter(|line| line.starts_with("main")).collect();
    let expected = [
        "main 10.1.0.0/24 proto kernel src 10.1.0.2",
        "main 10.2.0.0/24 proto kernel src 10.2.0.2",
        "main 10.9.0.0/16",
        "main fd00:1::/64 src fd00:1::2",
    ];
    assert_eq!(main, expected);
    for (hint, text) in [("10.1.0.0/24", "10.1.0.2"), ("10.2.0.0/24", "10.2.0.2")] {
        pod.run(&format!("ip route del {hint} table main"));
        host.plugin("sbr").check(&conf, &pod, "eth0").error().says(103, &[hint, text, "main table"]);
        pod.run(&format!("ip route add {hint} dev eth0 proto kernel scope link src {text}"));
    }
    host.plugin("sbr").check(&conf, &pod, "eth0").done();
    // The routes are in the addresses' tables all the same.
    assert!(routes(&pod).contains(&"100 10.1.0.0/24 proto kernel src 10.1.0.2".to_owned()));
    let chosen = pod.run("ip route get 10.2.0.77");
    assert!(chosen.contains("src 10.2.0.2"), "{chosen}");
}

#[test]
fn a_hint_replaces_the_route_of_another_source() {
    let host = Host::new();
    let pod = attached(&host, &["10.1.0.9/24", "10.1.0.2/24"]);
    let conf = conf(&[("10.1.0.2/24", "")]).set("addSourceHints", true);
    host.plugin("sbr").add(&conf, &pod, "eth0").result();
    let after = ["100 10.1.0.0/24 proto kernel src 10.1.0.9", "main 10.1.0.0/24 src 10.1.0.2"];
    assert_eq!(routes(&pod), after);
}
