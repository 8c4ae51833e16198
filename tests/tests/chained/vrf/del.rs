//! DEL in every circumstance; GC and STATUS.

use cni_tests::{Conf, Host, Place, in_every_version, needs};
use serde_json::json;

use crate::vrf::{conf_of, dual_stack, master, state, vrfs};

#[test]
fn the_interface_comes_out_and_the_vrf_goes() {
    needs!(Vrf);
    let garbage = |conf: Conf| conf.set("prevResult", json!([7])).set("table", -1);
    let without = |conf: Conf| conf.remove("prevResult");
    let nameless = |conf: Conf| conf.remove("vrfname");
    for change in [|conf| conf, garbage, without, nameless] as [fn(Conf) -> Conf; 4] {
        let host = Host::new();
        let (pod, conf) = dual_stack(&host);
        host.plugin("vrf").add(&conf, &pod, "eth0").result();
        let conf = change(conf);
        host.plugin("vrf").del(&conf, &pod, "eth0").done();
        assert_eq!((vrfs(&pod), master(&pod, "eth0")), (vec![], None), "{}", conf.text());
        host.plugin("vrf").del(&conf, &pod, "eth0").done();
    }
}

#[test]
fn the_vrf_goes_with_its_last_member() {
    needs!(Vrf);
    let host = Host::new();
    let (pod, conf) = dual_stack(&host);
    host.pair(&pod, "h-net1", "net1", &["10.5.0.2/24"]);
    let other = conf_of("net1", &["10.5.0.2/24"]);
    host.plugin("vrf").add(&conf, &pod, "eth0").result();
    host.plugin("vrf").add(&other, &pod, "net1").result();
    host.plugin("vrf").del(&conf, &pod, "eth0").done();
    host.plugin("vrf").check(&other, &pod, "net1").done();
    host.plugin("vrf").del(&conf, &pod, "eth0").done();
    assert_eq!(vrfs(&pod).len(), 1);
    host.plugin("vrf").del(&other, &pod, "net1").done();
    assert_eq!(vrfs(&pod), []);
}

/// A late DEL: another container has the path of the namespace, with a VRF of the same name in it.
#[test]
fn another_containers_vrf_is_left_alone() {
    needs!(Vrf);
    let host = Host::new();
    let (pod, conf) = dual_stack(&host);
    let next = host.plugin("vrf").env("CNI_CONTAINERID", "next").env("CNI_NETNS", pod.netns());
    next.env("CNI_IFNAME", "eth0").run("ADD", conf.text().as_bytes()).result();
    let before = state(&host, &pod);
    for conf in [conf.clone(), conf.remove("vrfname")] {
        host.plugin("vrf").del(&conf, &pod, "eth0").done();
        assert_eq!(state(&host, &pod), before);
    }
}

#[test]
fn with_the_interface_the_vrf_or_the_namespace_gone() {
    needs!(Vrf);
    for gone in ["ip link del eth0", "ip link del red", "ip link set eth0 nomaster"] {
        let host = Host::new();
        let (pod, conf) = dual_stack(&host);
        host.plugin("vrf").add(&conf, &pod, "eth0").result();
        pod.run(gone);
        host.plugin("vrf").del(&conf, &pod, "eth0").done();
        assert_eq!(vrfs(&pod), [], "{gone}");
        pod.unmount_netns();
        host.plugin("vrf").del(&conf, &pod, "eth0").done();
        std::fs::remove_file(pod.netns()).unwrap();
        host.plugin("vrf").del(&conf, &pod, "eth0").done();
        host.plugin("vrf").without("CNI_NETNS").del(&conf, &pod, "eth0").done();
        assert_eq!(host.run("ls -A /run/netns"), "");
    }
}

#[test]
fn what_is_not_ours_stays() {
    needs!(Vrf);
    let host = Host::new();
    let (pod, conf) = dual_stack(&host);
    pod.run("ip link add red type vrf table 5");
    pod.run("ip link add blue type vrf table 6");
    let before = state(&host, &pod);
    // Never added: an empty VRF that somebody else made.
    host.plugin("vrf").del(&conf, &pod, "eth0").done();
    host.plugin("vrf").del(&conf, &pod, "eth9").done();
    assert_eq!(state(&host, &pod), before);
    // Somebody has moved the interface, and something else has the name.
    pod.run("ip link set eth0 master blue");
    pod.run("ip link del red");
    pod.run("ip link add red type bridge");
    let before = state(&host, &pod);
    host.plugin("vrf").del(&conf, &pod, "eth0").done();
    assert_eq!(state(&host, &pod), before);
}

#[test]
fn twenty_at_once() {
    needs!(Vrf);
    let host = Host::new();
    let (pod, conf) = dual_stack(&host);
    host.plugin("vrf").add(&conf, &pod, "eth0").result();
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| host.plugin("vrf").del(&conf, &pod, "eth0").done());
        }
    });
    assert_eq!(vrfs(&pod), []);
}

#[test]
fn gc_and_status_change_nothing() {
    needs!(Vrf);
    let host = Host::new();
    let (pod, conf) = dual_stack(&host);
    host.plugin("vrf").add(&conf, &pod, "eth0").result();
    let conf = conf.version("1.1.0").remove("prevResult");
    let before = state(&host, &pod);
    host.plugin("vrf").gc(&conf, &[]).done();
    host.plugin("vrf").status(&conf).done();
    assert_eq!(state(&host, &pod), before);
    host.plugin("vrf").run("GC", conf.text().as_bytes()).freed_nothing();
    host.plugin("vrf").status(&conf.clone().set("table", 254)).error().says(7, &["table", "254"]);
    host.plugin("vrf").status(&conf.version("1.0.0")).error().says(1, &["STATUS"]);
}

/// On this kernel, be it one with VRFs or without.
#[test]
fn status_says_whether_the_kernel_has_vrfs() {
    let host = Host::new();
    let conf = conf_of("eth0", &[]).version("1.1.0").remove("prevResult");
    let has = host.try_run("ip link add name probe type vrf table 1").status.success();
    let outcome = host.plugin("vrf").status(&conf);
    if has {
        outcome.done();
    } else {
        outcome.error().says(50, &["cannot make VRFs", "EOPNOTSUPP"]);
        let pod = crate::vrf::attached(&host, &["10.1.0.2/24"]);
        let before = state(&host, &pod);
        let conf = conf_of("eth0", &["10.1.0.2/24"]);
        host.plugin("vrf").add(&conf, &pod, "eth0").error().says(100, &["VRF red", "EOPNOTSUPP"]);
        host.plugin("vrf").del(&conf, &pod, "eth0").done();
        assert_eq!(state(&host, &pod), before);
    }
}

in_every_version!(versions as every_version);

fn versions(version: &str) {
    let host = Host::new();
    let pod = host.container("pod");
    let conf = conf_of("eth0", &[]).remove("prevResult").version(version);
    let outcome = host.plugin("vrf").del(&conf, &pod, "eth0");
    if version < "0.3.1" {
        outcome.error().says(1, &["incompatible CNI versions", "0.3.1"]);
    } else {
        outcome.done();
    }
}
