//! Where the master is, what is known of it, and what else has the container's name.

use cni_tests::{Case, Place, needs};
use serde_json::json;

for_each_plugin!(the_host_has_a_link_of_the_containers_name);
for_each_plugin!([macvlan, ipvlan, vlan] a_master_in_the_container, a_master_without_carrier);
for_each_plugin!([macvlan, ipvlan] the_link_of_the_default_route, a_master_that_is_down_is_waited_for);
for_each_plugin!([macvlan, ipvlan, vlan] a_master_by_an_alternative_name);
for_each_plugin!([vlan] a_vlan_has_no_use_for_a_master_that_is_down);

fn the_host_has_a_link_of_the_containers_name(case: &Case) {
    let host = case.host();
    host.run("ip link add eth0 type veth peer name eth1");
    let pods = ["one", "two"].map(|id| host.container(id));
    let before = host.after_one_container(case.plugin, &case.conf);
    for (pod, case) in pods.iter().zip([case, &crate::link::second(case)]) {
        let result = case.add(&host, pod).result();
        assert_eq!(result["interfaces"][0]["name"], "eth0");
        let case = case.with(|conf| conf.prev(&result));
        case.call(&host).check(&case.conf, pod, "eth0").done();
    }
    for pod in &pods {
        case.del(&host, pod).done();
        assert!(pod.find_link("eth0").is_none());
    }
    assert_eq!(host.link("eth0")["link"], "eth1", "the host's is untouched");
    host.snapshot().assert_same_as(&before, "DEL");
}

/// Kernels before 6.15 look for the name on the host; the VM's is one of them.
#[test]
fn the_host_has_a_link_of_the_containers_name_on_an_older_kernel() {
    needs!(Vlan);
    the_host_has_a_link_of_the_containers_name(&crate::link::macvlan());
}

/// That a VLAN exists already is told as it is, not for the name on the host.
#[test]
fn a_vlan_that_the_master_has_already() {
    needs!(Vlan);
    let case = crate::link::vlan();
    let host = case.host();
    host.run("ip link add eth0 type veth peer name eth1");
    case.add(&host, &host.container("first")).result();
    let pod = host.container("pod");
    let before = host.snapshot();
    case.add(&host, &pod).error().says(100, &["vlan", "uplink", "EEXIST"]);
    assert!(pod.find_link("eth0").is_none());
    host.snapshot().assert_same_as(&before, "a refused ADD");
}

fn a_master_in_the_container(case: &Case) {
    let host = case.host();
    let before = host.after_one_container(case.plugin, &case.conf);
    let pod = host.container("pod");
    pod.run("ip link add inside0 mtu 1450 type veth peer name inside1");
    pod.run("ip link set inside0 up");
    let case = case.with(|conf| conf.set("linkInContainer", true).set("master", "inside0"));
    case.with(|conf| conf.set("mtu", 1451)).add(&host, &pod).error().says(7, &["68–1450", "inside0"]);
    let result = case.add(&host, &pod).result();
    let link = pod.link("eth0");
    assert_eq!((&link["link"], &link["mtu"]), (&json!("inside0"), &json!(1450)));
    let with_result = case.with(|conf| conf.prev(&result));
    with_result.call(&host).check(&with_result.conf, &pod, "eth0").done();
    with_result.del(&host, &pod).done();
    assert!(pod.find_link("eth0").is_none() && pod.find_link("inside0").is_some());
    host.snapshot().assert_same_as(&before, "DEL");
    case.add(&host, &pod).result();
    pod.remove_netns();
    case.del(&host, &pod).done();
    host.snapshot().assert_same_as(&before, "DEL without the master");
}

fn a_master_without_carrier(case: &Case) {
    let host = case.host();
    host.run("nsenter --net=/run/netns/outside ip link set wan down");
    assert_eq!(host.run("cat /sys/class/net/uplink/carrier"), "0\n");
    let pod = host.container("pod");
    let result = case.add(&host, &pod).result();
    assert_eq!(pod.addresses("eth0"), crate::link::FIRST);
    let case = case.with(|conf| conf.prev(&result));
    case.call(&host).check(&case.conf, &pod, "eth0").done();
}

fn the_link_of_the_default_route(case: &Case) {
    let case = case.with(|conf| conf.remove("master"));
    let host = case.host();
    host.run("ip link add other type veth peer name another");
    host.run("ip link set other up");
    host.run("ip route add default dev other table 100");
    let pod = host.container("pod");
    case.add(&host, &pod).error().says(7, &["default route", "on the host", "master"]);
    for family in ["-4", "-6"] {
        host.run(&format!("ip {family} route add default dev uplink"));
        let result = case.add(&host, &pod).result();
        assert_eq!(pod.link("eth0")["link_index"], host.link("uplink")["ifindex"]);
        let with_result = case.with(|conf| conf.prev(&result));
        with_result.call(&host).check(&with_result.conf, &pod, "eth0").done();
        host.run(&format!("ip {family} route del default"));
        with_result.del(&host, &pod).done();
    }
    let case = case.with(|conf| conf.set("linkInContainer", true));
    case.add(&host, &pod).error().says(7, &["default route", "in the container"]);
    for line in [
        "link add inside0 type veth peer name inside1",
        "link set inside0 up",
        "route add default dev inside0",
    ] {
        pod.run(&format!("ip {line}"));
    }
    case.add(&host, &pod).result();
    assert_eq!(pod.link("eth0")["link"], "inside0");
}

fn a_master_that_is_down_is_waited_for(case: &Case) {
    let host = case.host();
    host.run("ip link set uplink down");
    case.call(&host).status(&case.conf.clone().version("1.1.0")).done();
    let pod = host.container("pod");
    let result = case.add(&host, &pod).result();
    assert_eq!(pod.addresses("eth0"), crate::link::FIRST);
    let with_result = case.with(|conf| conf.prev(&result));
    let check = || with_result.call(&host).check(&with_result.conf, &pod, "eth0");
    check().done();
    host.run("ip link set uplink up");
    check().done();
    host.run("nsenter --net=/run/netns/outside ip address add 10.44.0.1/24 dev wan");
    let up = || pod.link("eth0")["operstate"] == "UP";
    assert!((0..10_000).any(|_| up()), "{}", pod.link("eth0"));
    assert!(pod.pings("10.44.0.1"), "as soon as the master is up");
    host.run("ip link set uplink down");
    check().done();
    with_result.del(&host, &pod).done();
    assert!(pod.find_link("eth0").is_none());
}

fn a_vlan_has_no_use_for_a_master_that_is_down(case: &Case) {
    let host = case.host();
    let before = host.after_one_container(case.plugin, &case.conf);
    host.run("ip link set uplink down");
    let pod = host.container("pod");
    case.add(&host, &pod).error().says(7, &["uplink", "down", "ip link set uplink up"]);
    assert!(pod.find_link("eth0").is_none());
    host.run("ip link set uplink up");
    host.snapshot().assert_same_as(&before, "a refused ADD");
}

/// systemd gives those that are too long for a name.
fn a_master_by_an_alternative_name(case: &Case) {
    let host = case.host();
    host.run("ip link property add dev uplink altname enP48661p0s2f0np0d1 altname short");
    for name in ["enP48661p0s2f0np0d1", "short"] {
        let case = case.with(|conf| conf.set("master", name));
        case.call(&host).status(&case.conf.clone().version("1.1.0")).done();
        let pod = host.container("pod");
        let result = case.add(&host, &pod).result();
        assert_eq!(pod.link("eth0")["link_index"], host.link("uplink")["ifindex"]);
        let with_result = case.with(|conf| conf.prev(&result));
        with_result.call(&host).check(&with_result.conf, &pod, "eth0").done();
        with_result.del(&host, &pod).done();
        assert!(pod.find_link("eth0").is_none());
        pod.remove_netns();
    }
    let pod = host.container("pod");
    pod.run("ip link add inside0 type veth peer name inside1");
    pod.run("ip link set inside0 up");
    pod.run("ip link property add dev inside0 altname enP48661p0s2f0np0d2");
    let case = case.with(|conf| conf.set("master", "enP48661p0s2f0np0d2"));
    case.add(&host, &pod).error().says(7, &["enP48661p0s2f0np0d2", "on the host", "linkInContainer"]);
    case.with(|conf| conf.set("linkInContainer", true)).add(&host, &pod).result();
    assert_eq!(pod.link("eth0")["link"], "inside0");
}
