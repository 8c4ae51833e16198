//! A failed ADD leaves neither a link nor an address, at whatever step it fails; nor does a DEL after a killed one.

use cni_tests::{Case, IpamScript, Place, needs};

for_each_plugin!(
    an_add_whose_nth_request_is_refused,
    an_ipam_plugin_that_fails_answers_garbage_or_no_addresses,
    a_name_that_is_busy_in_the_container,
    a_route_that_the_kernel_refuses,
    a_second_add_leaves_the_first_alone_whatever_the_container_calls_its_link,
);
// What differs between the others is in the kernel: one of them will do, since the VM takes its time.
for_each_plugin!([macvlan, vlan, tap] an_add_that_is_killed, a_full_disk);
for_each_plugin!([macvlan, tap] a_namespace_that_cannot_be_entered);
for_each_plugin!([macvlan, tap] a_del_that_is_killed, an_add_that_is_killed_before_gc, a_held_ipam_lock);

fn an_add_whose_nth_request_is_refused(case: &Case) {
    needs!(Strace);
    case.refuse_each_request();
}

fn a_namespace_that_cannot_be_entered(case: &Case) {
    needs!(Strace);
    case.refuse_each_visit();
}

fn an_add_that_is_killed(case: &Case) {
    needs!(Strace);
    case.kill_each_step_of_add();
}

fn a_del_that_is_killed(case: &Case) {
    needs!(Strace);
    case.kill_each_step_of_del();
}

fn an_add_that_is_killed_before_gc(case: &Case) {
    needs!(Strace);
    case.kill_each_step_of_add_before_gc();
}

fn a_held_ipam_lock(case: &Case) {
    case.hold_the_ipam_lock();
}

fn a_full_disk(case: &Case) {
    case.fill_the_disk();
}

fn an_ipam_plugin_that_fails_answers_garbage_or_no_addresses(case: &Case) {
    let host = case.host();
    let answers = [
        ("echo '{\"code\":123,\"msg\":\"no more\"}'; exit 1", 123, "no more"),
        ("exit 4", 102, "4"),
        ("echo garbage", 102, "garbage"),
        ("echo '{\"cniVersion\":\"1.0.0\"}'", 102, "missing IP config"),
    ];
    for (commands, code, part) in answers {
        let ipam = IpamScript::that_runs(&host, commands);
        let before = host.snapshot();
        let calls = ipam.calls().len();
        let pod = host.container("pod");
        case.with(|conf| ipam.for_conf(conf)).add(&host, &pod).error().says(code, &[part]);
        assert_eq!(ipam.calls()[calls..], ["ADD", "DEL"]);
        assert!(pod.find_link("eth0").is_none(), "{commands}");
        host.snapshot().assert_same_as(&before, commands);
        pod.remove_netns();
    }
}

fn a_name_that_is_busy_in_the_container(case: &Case) {
    let host = case.host();
    let before = host.after_one_container(case.plugin, &case.conf);
    let pod = host.container("pod");
    pod.run("ip link add eth0 type veth peer name other");
    case.add(&host, &pod).error().says(100, &["eth0", "exist"]);
    assert_eq!(pod.link("eth0")["link"], "other", "the link that was there is untouched");
    host.snapshot().assert_same_as(&before, "a refused ADD");
}

/// The last step of the kernel's: a route that it refuses.
fn a_route_that_the_kernel_refuses(case: &Case) {
    let host = case.host();
    let before = host.after_one_container(case.plugin, &case.conf);
    let pod = host.container("pod");
    let routes = serde_json::json!([{ "dst": "192.0.2.0/24", "gw": "203.0.113.1" }]);
    let unreachable = case.with(|conf| conf.ipam("routes", routes));
    unreachable.add(&host, &pod).error().says(100, &["192.0.2.0/24", "203.0.113.1"]);
    assert!(pod.find_link("eth0").is_none());
    host.snapshot().assert_same_as(&before, "a refused ADD");
}

fn a_second_add_leaves_the_first_alone_whatever_the_container_calls_its_link(case: &Case) {
    let host = case.host();
    let pod = host.container("pod");
    case.add(&host, &pod).result();
    let before = host.snapshot();
    case.add(&host, &pod).error().says(100, &["eth0", "DEL"]);
    host.snapshot().assert_same_as(&before, "the second ADD");
    pod.run("ip link set eth0 down");
    pod.run("ip link set eth0 name renamed");
    case.add(&host, &pod).error().says(100, &["eth0", "pod", "renamed", "DEL"]);
    host.snapshot().assert_same_as(&before, "the second ADD");
    assert_eq!(pod.addresses("renamed"), crate::link::FIRST);
}
