//! The container's namespace is not named, dead, or replaced by something else.

use cni_tests::{Container, Host, Place, Snapshot};
use serde_json::json;

use crate::host_device::{conf, layer2, records, rename, state, with_device};

/// The kernel takes a namespace apart some time after its end; the veth goes with it, here first.
fn dies(pod: &Container, name: &str) {
    pod.run(&format!("ip link del {name}"));
    pod.remove_netns();
}

#[test]
fn a_namespace_that_lives_but_is_not_named() {
    let host = with_device();
    let before = state(&host, "ens5");
    let pod = host.container("pod");
    host.sh("touch /run/file; mkfifo /run/fifo; ip netns add empty");
    for path in ["", "/run/netns/missing", "/run/file", "/run/fifo", "/run", "/dev/null", "/run/netns/empty"]
    {
        for by_gc in [false, true] {
            host.plugin("host-device").add(&conf(), &pod, "eth0").result();
            rename(&pod, "mine");
            let call = host.plugin("host-device");
            match (by_gc, path) {
                (true, _) => call.gc(&conf(), &[]).done(),
                (_, "") => call.without("CNI_NETNS").del(&conf(), &pod, "eth0").done(),
                _ => call.env("CNI_NETNS", path).del(&conf(), &pod, "eth0").done(),
            }
            assert_eq!(state(&host, "ens5"), before, "{path:?}");
            assert_eq!(records(), [""; 0], "{path:?}");
            assert_eq!(addresses(&host.snapshot()), 0, "{path:?}");
        }
    }
}

fn addresses(snapshot: &Snapshot) -> usize {
    snapshot.lines_with("file /var/lib/cni/networks/net/10.").len()
}

#[test]
fn a_virtual_device_that_died_with_its_namespace() {
    for by_gc in [false, true] {
        let host = with_device();
        let before = host.after_one_container("host-device", &conf());
        let pod = host.container("pod");
        host.plugin("host-device").add(&conf(), &pod, "eth0").result();
        assert_eq!((records().len(), addresses(&host.snapshot())), (1, 1));
        dies(&pod, "eth0");
        if by_gc {
            host.plugin("host-device").gc(&conf(), &[]).done();
        } else {
            host.plugin("host-device").without("CNI_NETNS").del(&conf(), &pod, "eth0").done();
        }
        let since = host.snapshot().since(&before);
        assert!(since.iter().all(|line| line.contains("ens5")), "only the device is missing: {since:?}");
    }
}

/// `eth0` of the pod is on the host as `name`.
pub(crate) fn comes_back(host: &Host, name: &str) {
    let set = format!("nsenter --net=/run/netns/pod ip link set eth0 netns /proc/self/fd/9 name {name}");
    host.sh(&format!("exec 9</proc/self/ns/net; {set}"));
}

/// As the kernel returns hardware: down, under its name in the container or `dev<index>`.
#[test]
fn a_device_that_came_back_by_itself() {
    let host = with_device();
    let before = state(&host, "ens5");
    for (name, by) in [("eth0", "DEL"), ("dev7", "DEL"), ("dev7", "GC"), ("ens5", "GC"), ("dev7", "ADD")] {
        let pod = host.container("pod");
        host.plugin("host-device").add(&conf(), &pod, "eth0").result();
        pod.run("ip link set eth0 mtu 1300 address 02:00:00:00:00:99");
        comes_back(&host, name);
        pod.remove_netns();
        assert_eq!(state(&host, name)[5], json!(["ALLMULTI", "BROADCAST"]));
        match by {
            "DEL" => host.plugin("host-device").without("CNI_NETNS").del(&conf(), &pod, "eth0").done(),
            "GC" => host.plugin("host-device").gc(&conf(), &[]).done(),
            // Under its name on the host, which it does not have.
            _ => {
                let next = host.container("next");
                host.plugin("host-device").add(&layer2(), &next, "eth0").result();
                assert_eq!(state(&next, "eth0")[1], "ens5");
                assert_eq!(records().len(), 1, "the one before has it no longer");
                host.plugin("host-device").del(&layer2(), &next, "eth0").done();
            }
        }
        assert_eq!(state(&host, "ens5"), before, "{name} {by}");
        assert_eq!(records(), [""; 0]);
    }
}

#[test]
fn gc_leaves_valid_attachments_and_other_networks_alone() {
    let host = with_device();
    let before = state(&host, "ens5");
    let pod = host.container("pod");
    let other = conf().set("name", "other");
    host.plugin("host-device").add(&conf(), &pod, "eth0").result();
    host.plugin("host-device").gc(&conf(), &[(&pod, "eth0")]).done();
    host.plugin("host-device").gc(&other, &[]).done();
    assert!(pod.pings("10.9.0.1"));
    host.plugin("host-device").gc(&conf(), &[(&pod, "eth1")]).done();
    assert_eq!(state(&host, "ens5"), before);
    host.plugin("host-device").run("GC", conf().text().as_bytes()).freed_nothing();
}

#[test]
fn what_the_administrator_took_back_is_left_as_it_is() {
    let host = with_device();
    let pod = host.container("pod");
    host.plugin("host-device").add(&layer2(), &pod, "eth0").result();
    comes_back(&host, "ens5");
    host.command("ip").args(["link", "set", "ens5", "alias", ""]).status().unwrap();
    host.run("ip link set ens5 mtu 1200 up");
    let before = state(&host, "ens5");
    host.plugin("host-device").del(&layer2(), &pod, "eth0").done();
    assert_eq!(state(&host, "ens5"), before);
    assert_eq!(records(), [""; 0]);
}

#[test]
fn records_that_nobody_can_read() {
    let host = with_device();
    let before = state(&host, "ens5");
    let pod = host.container("pod");
    for garbage in ["", "{", "[]", "{\"mtu\": -1}", "{\"name\": 7}"] {
        host.plugin("host-device").add(&layer2(), &pod, "eth0").result();
        let path = format!("/run/cni/host-device/{}", records()[0]);
        std::fs::write(path, garbage).unwrap();
        host.plugin("host-device").gc(&layer2(), &[]).done();
        let outcome = host.plugin("host-device").del(&layer2(), &pod, "eth0");
        outcome.done();
        assert!(outcome.stderr.contains("cannot read the record"), "{outcome:?}");
        host.run("ip link set ens5 up");
        assert_eq!(state(&host, "ens5"), before, "by its alias: {garbage}");
        assert_eq!(records(), [""; 0]);
    }
}
