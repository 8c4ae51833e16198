//! CHECK passes right after ADD, and finds each single change.

use cni_tests::{Case, Conf, Place, needs};
use serde_json::json;

for_each_plugin!(each_change_is_found, it_needs_a_prev_result_of_this_container);
for_each_plugin!([macvlan, tap] it_changes_nothing);
for_each_plugin!([macvlan, ipvlan, vlan] a_link_on_another_master);
for_each_plugin!([macvlan, tap] a_link_without_addresses_that_is_down);
for_each_plugin!([macvlan, ipvlan, vlan, tap] what_tuning_changed_behind_it_is_no_difference);

/// What changed; a shell script on the host, where `pod` runs a command in the container; what the error says.
type Change = (&'static str, &'static str, &'static [&'static str]);

const OF_ANY: [Change; 7] = [
    ("the link is gone", "pod ip link del eth0", &["eth0"]),
    ("the link is of another kind", "pod ip link del eth0; pod ip link add eth0 type bridge", &["bridge"]),
    ("the IPv4 address is gone", "pod ip -4 address flush dev eth0", &["10.44.0.2/24"]),
    ("the IPv6 address is gone", "pod ip -6 address flush dev eth0 scope global", &["fd00:44::2/64"]),
    ("the IPv4 route is gone", "pod ip route del 192.0.2.0/24", &["192.0.2.0/24"]),
    ("the IPv6 route is gone", "pod ip route del 2001:db8::/32", &["2001:db8::/32"]),
    (
        "the addresses are given back",
        "rm -r /var/lib/cni/networks/net/*:* /var/lib/cni/networks/net/10.*",
        &["pod"],
    ),
];

const MAC: Change = ("the MAC", "pod ip link set eth0 address 0a:00:00:00:00:77", &["0a:00:00:00:00:77"]);
const MTU: Change = ("the MTU", "pod ip link set eth0 mtu 1280", &["1280", "1400"]);
const DOWN: Change = ("the link is down", "pod ip link set eth0 down", &["eth0"]);
const MACVLAN_MODE: Change =
    ("the mode", "pod ip link set eth0 type macvlan mode vepa", &["mode vepa", "mode bridge"]);
const IPVLAN_MODE: Change = ("the mode", "pod ip link set eth0 type ipvlan mode l3", &["mode l3", "mode l2"]);
const VLAN_ID: Change = (
    "the VLAN's id",
    "mac=$(pod ip -br link show eth0 | awk '{print $3}'); pod ip link del eth0
    ip link add link uplink name made address $mac mtu 1400 type vlan id 6; ip link set made netns pod name eth0
    pod ip link set eth0 up; pod ip address add 10.44.0.2/24 dev eth0; pod ip address add fd00:44::2/64 dev eth0
    pod ip route add 192.0.2.0/24 via 10.44.0.1; pod ip route add 2001:db8::/32 via fd00:44::1",
    &["vlanId 6", "vlanId 5"],
);
const OWNER: Change = (
    "the owner",
    "mac=$(pod ip -br link show eth0 | awk '{print $3}'); pod ip link del eth0
    pod ip tuntap add eth0 mode tap user 1001; pod ip link set eth0 up mtu 1400 address $mac
    pod ip address add 10.44.0.2/24 dev eth0; pod ip address add fd00:44::2/64 dev eth0
    pod ip route add 192.0.2.0/24 via 10.44.0.1; pod ip route add 2001:db8::/32 via fd00:44::1",
    &["owner 1001", "owner 1000"],
);

fn changes(plugin: &str) -> Vec<Change> {
    let (of_any, own): (_, &[Change]) = match plugin {
        "macvlan" => (&OF_ANY[..], &[MAC, MTU, DOWN, MACVLAN_MODE]),
        "tap" => (&OF_ANY[..], &[MAC, MTU, OWNER]),
        // Nothing of these kinds: one will do, since the VM takes its time.
        "ipvlan" => (&OF_ANY[..1], &[MTU, DOWN, IPVLAN_MODE]),
        "vlan" => (&OF_ANY[1..2], &[MAC, MTU, VLAN_ID]),
        _ => (&OF_ANY[2..4], &[MAC]),
    };
    [of_any, own].concat()
}

fn each_change_is_found(case: &Case) {
    if case.plugin == "tap" {
        needs!(UserIds);
    }
    // Before 1.1.0 a result does not tell the MTU.
    let case = case.with(|conf| match case.plugin {
        "dummy" => conf,
        "tap" => conf.set("mtu", 1400).set("owner", 1000),
        _ => conf.set("mtu", 1400),
    });
    let case = case.with(|conf| conf.version("1.1.0"));
    for (what, script, parts) in changes(case.plugin) {
        let host = case.host();
        let pod = host.container("pod");
        let result = case.add(&host, &pod).result();
        let case = case.with(|conf| conf.prev(&result));
        case.call(&host).check(&case.conf, &pod, "eth0").done();
        host.sh(&format!("set -e; pod() {{ nsenter --net=/run/netns/pod \"$@\"; }}; {script}"));
        let outcome = case.call(&host).check(&case.conf, &pod, "eth0");
        assert_eq!(outcome.exit, Some(1), "CHECK passes although it changed: {what}");
        let error = outcome.error();
        for part in parts {
            assert!(error.text.contains(part), "{what}: {part:?} is not in {error:?}");
        }
    }
}

fn a_link_on_another_master(case: &Case) {
    let host = case.host();
    host.run("ip link add other type veth peer name another");
    host.run("ip link set other up");
    let pod = host.container("pod");
    let result = case.add(&host, &pod).result();
    for (master, part) in [("other", "expected other with index"), ("gone", "no master gone")] {
        let case = case.with(|conf| conf.prev(&result).set("master", master));
        case.call(&host).check(&case.conf, &pod, "eth0").error().says(103, &[part]);
    }
}

/// What the chain's result says has the final word, not this plugin's configuration.
fn what_tuning_changed_behind_it_is_no_difference(case: &Case) {
    for version in ["0.4.0", "1.0.0", "1.1.0"] {
        let host = case.host();
        let pod = host.container("pod");
        let mac = if case.plugin == "ipvlan" { None } else { Some("0a:00:00:00:00:07") };
        let case = case.with(|conf| conf.set("mtu", 1400).version(version));
        let result = case.add(&host, &pod).result();
        let tuning = json!({ "cniVersion": version, "name": "net", "type": "tuning", "mtu": 1300, "promisc": true,
            "allmulti": true, "txQLen": 500, "mac": mac });
        let result = host.plugin("tuning").add(&Conf::new(tuning).prev(&result), &pod, "eth0").result();
        assert_eq!(pod.link("eth0")["mtu"], 1300);
        let case = case.with(|conf| conf.prev(&result));
        case.call(&host).check(&case.conf, &pod, "eth0").done();
        case.del(&host, &pod).done();
        assert!(pod.find_link("eth0").is_none());
    }
}

fn a_link_without_addresses_that_is_down(case: &Case) {
    let host = case.host();
    let pod = host.container("pod");
    let case = case.with(|conf| conf.remove("ipam"));
    let result = case.add(&host, &pod).result();
    let case = case.with(|conf| conf.prev(&result));
    pod.run("ip link set eth0 down");
    case.call(&host).check(&case.conf, &pod, "eth0").error().says(103, &["eth0", "down"]);
}

fn it_needs_a_prev_result_of_this_container(case: &Case) {
    let host = case.host();
    let pod = host.container("pod");
    let result = case.add(&host, &pod).result();
    case.call(&host).check(&case.conf, &pod, "eth0").error().says(7, &["prevResult"]);
    let other = result.to_string().replace("/run/netns/pod", "/run/netns/other");
    let case = case.with(|conf| conf.prev(&serde_json::from_str(&other).unwrap()));
    case.call(&host).check(&case.conf, &pod, "eth0").error().says(103, &["sandbox"]);
}

fn it_changes_nothing(case: &Case) {
    let host = case.host();
    let pod = host.container("pod");
    let result = case.add(&host, &pod).result();
    let (outside, inside) = (host.snapshot(), cni_tests::Snapshot::take(&pod));
    let case = case.with(|conf| conf.prev(&result));
    case.call(&host).check(&case.conf, &pod, "eth0").done();
    host.snapshot().assert_same_as(&outside, "CHECK");
    cni_tests::Snapshot::take(&pod).assert_same_as(&inside, "CHECK");
}
