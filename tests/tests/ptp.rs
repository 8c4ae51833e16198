//! Plugin `ptp`: a veth pair and host routes per container.

use cni_tests::{Conf, Host, Place};

#[test]
fn the_container_reaches_its_gateway_at_once() {
    let host = Host::new();
    let pod = host.container("pod");
    let result = host.plugin("ptp").add(&Conf::ptp(), &pod, "eth0").result();
    assert!(pod.pings("10.33.0.1"), "{result}");
    assert!(pod.pings("fd00:33::1"), "{result} {} {}", pod.run("ip -6 a"), host.run("ip -6 a"));
    assert_eq!(pod.addresses("eth0"), ["10.33.0.2/24", "fd00:33::2/64"]);
}

#[test]
fn del_leaves_nothing() {
    let host = Host::new();
    let conf = Conf::ptp();
    let first = host.container("first");
    host.plugin("ptp").add(&conf, &first, "eth0").result();
    host.plugin("ptp").del(&conf, &first, "eth0").done();
    let before = host.snapshot();
    let pod = host.container("pod");
    host.plugin("ptp").add(&conf, &pod, "eth0").result();
    assert!(!host.snapshot().since(&before).is_empty());
    host.plugin("ptp").del(&conf, &pod, "eth0").done();
    host.snapshot().assert_same_as(&before, "DEL");
}
