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

/// An administrator's bridge: nobody has set its address, so it is that of its lowest port, or none.
fn unpinned_bridge(host: &Host) {
    host.run("ip link add br0 type bridge");
    host.run("ip link add port type veth peer name far");
    for (address, dev) in [("0a:00:00:00:00:02", "port"), ("0a:00:00:00:00:03", "far")] {
        host.run(&format!("ip link set {dev} address {address} up"));
    }
    host.run("ip link set br0 up");
}

#[test]
fn a_bridge_without_an_address_is_pinned_to_the_one_it_has_with_the_containers_port() {
    let host = Host::new();
    unpinned_bridge(&host);
    // Without ports it has none: the kernel takes it from the last that left.
    host.run("ip link set port master br0");
    host.run("ip link set port nomaster");
    assert_eq!(host.link("br0")["address"], "00:00:00:00:00:00");
    let pod = host.container("pod");
    let conf = Conf::dual_stack_bridge().set("isGateway", true);
    let result = host.plugin("bridge").add(&conf, &pod, "eth0").result();
    let mac = host.link("br0")["address"].clone();
    assert_ne!(mac, "00:00:00:00:00:00");
    assert_eq!(result["interfaces"][0]["mac"], mac);
    assert_eq!(host.run("cat /sys/class/net/br0/addr_assign_type").trim(), "3");
    assert!(pod.pings("10.22.0.1"));
    // It stays when ports come and go.
    host.run("ip link set port address 02:00:00:00:00:01 master br0");
    assert_eq!(host.link("br0")["address"], mac);
    host.plugin("bridge").check(&conf.prev(&result), &pod, "eth0").done();
}

#[test]
fn a_bridge_whose_address_follows_its_ports_is_told_with_the_one_it_has_then() {
    let host = Host::new();
    unpinned_bridge(&host);
    host.run("ip link set port address fe:ff:ff:ff:ff:ff master br0");
    let pod = host.container("pod");
    let result = host.plugin("bridge").add(&Conf::bridge(), &pod, "eth0").result();
    assert_eq!(result["interfaces"][0]["mac"], host.link("br0")["address"]);
    assert_ne!(result["interfaces"][0]["mac"], "fe:ff:ff:ff:ff:ff");
}

#[test]
fn check_does_not_insist_on_an_address_that_follows_the_ports() {
    let host = Host::new();
    unpinned_bridge(&host);
    let pod = host.container("pod");
    let conf = Conf::bridge();
    let conf = conf.clone().prev(&host.plugin("bridge").add(&conf, &pod, "eth0").result());
    let before = host.link("br0")["address"].clone();
    host.run("ip link set port address 02:00:00:00:00:01 master br0");
    assert_ne!(host.link("br0")["address"], before, "it followed");
    host.plugin("bridge").check(&conf, &pod, "eth0").done();
    // Set by somebody, it is a difference.
    host.run("ip link set br0 address 0a:00:00:00:00:88");
    host.plugin("bridge").check(&conf, &pod, "eth0").error().says(103, &["br0", "0a:00:00:00:00:88"]);
}

#[test]
fn mtu_in_the_result_is_the_bridges_with_the_containers_port() {
    let host = Host::new();
    host.run("ip link add br0 type bridge");
    let conf = Conf::bridge().set("mtu", 1400).version("1.1.0");
    let result = host.plugin("bridge").add(&conf, &host.container("pod"), "eth0").result();
    assert_eq!(host.link("br0")["mtu"], 1400, "it follows its only port");
    assert_eq!(result["interfaces"][0]["mtu"], 1400);
}
