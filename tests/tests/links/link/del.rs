//! DEL succeeds and leaves nothing, whatever is known and whatever is left.

use cni_tests::{Case, IpamScript, Place};
use serde_json::json;

for_each_plugin!(
    without_netns_prev_result_or_master,
    twice_and_before_any_add,
    after_the_container_renamed_the_link,
    a_link_of_another_kind_stays,
    in_a_namespace_that_is_another_containers_by_now,
);
// Nothing of the kernel's: some of them will do, since the VM takes its time.
for_each_plugin!(
    [macvlan, vlan, tap]
    whatever_the_configuration_says,
    after_the_container_swapped_two_names,
    its_failure_does_not_stop_ipam,
);

fn without_netns_prev_result_or_master(case: &Case) {
    let host = case.host();
    let before = host.after_one_container(case.plugin, &case.conf);
    for path in ["", "/run/netns/missing", "/run", "/dev/null"] {
        let pod = host.container("pod");
        case.add(&host, &pod).result();
        let call = case.call(&host);
        let call = if path.is_empty() { call.without("CNI_NETNS") } else { call.env("CNI_NETNS", path) };
        call.del(&case.conf, &pod, "eth0").done();
        host.snapshot().assert_same_as(&before, path);
        // Now with the namespace, as a runtime may do: what could not be found is found.
        case.del(&host, &pod).done();
        assert!(pod.find_link("eth0").is_none());
        pod.remove_netns();
    }
    let pod = host.container("pod");
    case.add(&host, &pod).result();
    if host.find_link("uplink").is_some() {
        host.run("ip link del uplink");
        assert!(pod.find_link("eth0").is_none(), "the kernel takes it along");
    }
    case.del(&host, &pod).done();
    assert!(host.snapshot().lines_with("/var/lib/cni/networks/net/10.44.0.").is_empty());
}

fn twice_and_before_any_add(case: &Case) {
    let host = case.host();
    let pod = host.container("pod");
    case.del(&host, &pod).done();
    let result = case.add(&host, &pod).result();
    for conf in [case.with(|conf| conf.prev(&result)), case.clone(), case.clone()] {
        conf.del(&host, &pod).done();
        assert!(pod.find_link("eth0").is_none());
    }
}

/// A configuration that no longer makes sense cannot keep a container from going.
fn whatever_the_configuration_says(case: &Case) {
    let host = case.host();
    let before = host.after_one_container(case.plugin, &case.conf);
    let garbage = [
        ("master", json!("gone")),
        ("master", json!(7)),
        ("mtu", json!(1_000_000)),
        ("mac", json!("nonsense")),
        ("mode", json!("nonsense")),
        ("vlanId", json!(5000)),
        ("bridge", json!("a/b")),
        ("linkInContainer", json!(true)),
        ("prevResult", json!({ "ips": 7 })),
        ("dns", json!([])),
    ];
    for (key, value) in garbage {
        let pod = host.container("pod");
        case.add(&host, &pod).result();
        let changed = case.with(|conf| conf.set(key, value));
        changed.call(&host).env("CNI_ARGS", "nonsense").del(&changed.conf, &pod, "eth0").done();
        assert!(pod.find_link("eth0").is_none(), "{key}");
        host.snapshot().assert_same_as(&before, key);
        pod.remove_netns();
    }
}

fn after_the_container_renamed_the_link(case: &Case) {
    let host = case.host();
    let before = host.after_one_container(case.plugin, &case.conf);
    let pod = host.container("pod");
    case.add(&host, &pod).result();
    pod.run("ip link set eth0 down");
    pod.run("ip link set eth0 name renamed");
    case.del(&host, &pod).done();
    assert_eq!(pod.ip("link show").len(), 1, "{:?}", pod.ip("link show"));
    host.snapshot().assert_same_as(&before, "DEL");
}

fn after_the_container_swapped_two_names(case: &Case) {
    let host = case.host();
    let pod = host.container("pod");
    let other = crate::link::second(case);
    case.add(&host, &pod).result();
    other.call(&host).add(&other.conf, &pod, "net1").result();
    for (from, to) in [("eth0", "old"), ("net1", "eth0"), ("old", "net1")] {
        pod.run(&format!("ip link set {from} down"));
        pod.run(&format!("ip link set {from} name {to}"));
    }
    case.del(&host, &pod).done();
    assert!(pod.find_link("net1").is_none(), "it was made as eth0");
    assert!(pod.find_link("eth0").is_some(), "it was made as net1");
    other.call(&host).del(&other.conf, &pod, "net1").done();
    assert_eq!(pod.ip("link show").len(), 1);
}

fn in_a_namespace_that_is_another_containers_by_now(case: &Case) {
    let host = case.host();
    let alive = host.container("alive");
    let result = case.add(&host, &alive).result();
    let before = host.snapshot();
    let dead = host.container("dead");
    crate::link::second(case).add(&host, &dead).result();
    dead.remove_netns();
    for _ in 0..2 {
        case.call(&host).env("CNI_NETNS", alive.netns()).del(&case.conf, &dead, "eth0").done();
        host.snapshot().assert_same_as(&before, "DEL of the dead one");
    }
    let case = case.with(|conf| conf.prev(&result));
    case.call(&host).check(&case.conf, &alive, "eth0").done();
}

fn a_link_of_another_kind_stays(case: &Case) {
    let host = case.host();
    let pod = host.container("pod");
    pod.run("ip link add eth0 type veth peer name other");
    case.del(&host, &pod).done();
    assert_eq!(pod.link("eth0")["link"], "other");
}

fn its_failure_does_not_stop_ipam(case: &Case) {
    let host = case.host();
    let ipam = IpamScript::that_runs_on(&host, "DEL", r#"echo '{"code":77,"msg":"not now"}'; exit 1"#);
    let pod = host.container("pod");
    case.add(&host, &pod).result();
    case.with(|conf| ipam.for_conf(conf)).del(&host, &pod).error().says(77, &["not now"]);
    assert!(pod.find_link("eth0").is_none(), "the link is gone all the same");
    assert_eq!(ipam.calls(), ["DEL"]);
}
