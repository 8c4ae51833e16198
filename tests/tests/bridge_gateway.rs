//! Plugin `bridge`: whose address the bridge has, and its MAC.

use cni_tests::{Conf, Host, Outcome, Place};

fn add(host: &Host, id: &str, subnet: &str, force: bool) -> Outcome {
    let conf = Conf::bridge().set("name", id).set("isGateway", true).set("forceAddress", force);
    host.plugin("bridge").add(&conf.ranges(&[subnet]), &host.container(id), "eth0")
}

#[test]
fn a_second_ipv4_gateway_is_a_conflict() {
    let host = Host::new();
    add(&host, "one", "10.22.0.0/24", false).result();
    let before = host.snapshot();
    let error = add(&host, "two", "10.23.0.0/24", false).error();
    error.says(
        7,
        &["br0", "already has an IP address different from 10.23.0.1/24", "10.22.0.1/24", "forceAddress"],
    );
    let left = host.snapshot().since(&before);
    assert!(left.iter().all(|l| l.contains("/var/lib/cni/networks/two")), "{left:?}");
    assert!(!left.iter().any(|l| l.contains("10.23.0.2")), "the address is free again: {left:?}");
}

#[test]
fn force_address_replaces_it() {
    let host = Host::new();
    add(&host, "one", "10.22.0.0/24", false).result();
    add(&host, "two", "10.23.0.0/24", true).result();
    assert_eq!(host.addresses("br0"), ["10.23.0.1/24"]);
}

#[test]
fn overlapping_ipv6_gateways_are_a_conflict() {
    let host = Host::new();
    add(&host, "one", "fd00:22::/64", false).result();
    add(&host, "two", "fd00:22::/60", false).error().says(7, &["already has an IP address different from"]);
    add(&host, "three", "fd00:22::/60", true).result();
    assert_eq!(host.addresses("br0"), ["fd00:22::1/60"]);
}

#[test]
fn separate_ipv6_gateways_coexist() {
    for force in [false, true] {
        let host = Host::new();
        add(&host, "one", "fd00:22::/64", force).result();
        add(&host, "two", "fd00:23::/64", force).result();
        let mut addresses = host.addresses("br0");
        addresses.sort();
        assert_eq!(addresses, ["fd00:22::1/64", "fd00:23::1/64"]);
    }
}

#[test]
fn the_bridges_mac_is_stable_while_containers_come_and_go() {
    let host = Host::new();
    let conf = Conf::dual_stack_bridge().set("isGateway", true);
    host.plugin("bridge").add(&conf, &host.container("first"), "eth0").result();
    let bridge = host.link("br0");
    for id in ["a", "b", "c", "d"] {
        let pod = host.container(id);
        let result = host.plugin("bridge").add(&conf, &pod, "eth0").result();
        assert_ne!(result["interfaces"][1]["mac"], bridge["address"]);
        assert_eq!(host.link("br0")["address"], bridge["address"]);
        host.plugin("bridge").del(&conf, &pod, "eth0").done();
        assert_eq!(host.link("br0")["address"], bridge["address"]);
    }
    // NET_ADDR_SET in linux/netdevice.h: udev's MACAddressPolicy keeps off.
    assert_eq!(host.run("cat /sys/class/net/br0/addr_assign_type").trim(), "3");
}

#[test]
fn the_bridges_mac_in_the_result_is_the_final_one() {
    let host = Host::new();
    let pod = host.container("pod");
    let conf = Conf::bridge().set("isGateway", true);
    let result = host.plugin("bridge").add(&conf, &pod, "eth0").result();
    assert_eq!(result["interfaces"][0]["mac"], host.link("br0")["address"]);
}
