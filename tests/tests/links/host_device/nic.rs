//! Network cards, which outlive the namespace they are in: the kernel returns them to the first one. The VM has a
//! virtio card and an Intel card, joined by a cable.

use std::fs::File;
use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

use cni_tests::{Conf, Container, Host, LIMIT, Place, needs};
use serde_json::{Value, json};

use crate::host_device::{layer2, records, state};

/// The addresses QEMU gave them (tests/vm/run).
const VIRTIO: &str = "02:00:00:00:c0:01";
const INTEL: &str = "02:00:00:00:c0:02";

/// The machine with its cards as they are after boot, but up and with an MTU of their own.
fn with_cards() -> (Host, MutexGuard<'static, ()>) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let guard = ONE_AT_A_TIME.lock().unwrap_or_else(|other_failed| other_failed.into_inner());
    let host = Host::of_the_vm();
    for (mac, name) in [(VIRTIO, "ens3"), (INTEL, "ens4")] {
        // One that a failed test left in a container is on its way.
        wait_for_return(&host, mac);
        let is = find(&host, mac).unwrap()["ifname"].as_str().unwrap().to_owned();
        host.run(&format!("ip link set {is} down"));
        host.run(&format!("ip link set {is} name {name} address {mac} mtu 1400 promisc off"));
        host.run(&format!("ip link set {name} up"));
        assert!(host.command("ip").args(["link", "set", name, "alias", ""]).status().unwrap().success());
    }
    (host, guard)
}

/// The card with this permanent address, which `ip` shows where the address is another.
fn find(host: &Host, mac: &str) -> Option<Value> {
    host.ip("link show").into_iter().find(|link| link["permaddr"] == mac || link["address"] == mac)
}

fn pci_address(host: &Host, name: &str) -> String {
    let path = host.run(&format!("realpath /sys/class/net/{name}/device"));
    let address = path.trim().split('/').rfind(|part| part.starts_with("0000:"));
    address.unwrap().to_owned()
}

fn on_pci(host: &Host, name: &str) -> Conf {
    layer2().remove("device").set("pciBusID", pci_address(host, name))
}

/// A new container that has the card.
fn given(host: &Host, card: &str) -> (Container, Conf) {
    let (pod, conf) = (host.container("pod"), on_pci(host, card));
    host.plugin("host-device").add(&conf, &pod, "eth0").result();
    (pod, conf)
}

/// Renamed, with other attributes: then the container dies. With `name` taken on the host, the kernel makes up another.
fn dies(pod: &Container, name: &str) {
    pod.run("ip link set eth0 down");
    pod.run(&format!("ip link set eth0 name {name} address 02:00:00:00:00:99 mtu 1300 promisc on"));
    pod.run(&format!("ip link set {name} up"));
    pod.remove_netns();
}

fn wait_for_return(host: &Host, mac: &str) {
    wait_until(&format!("the kernel has returned {mac}"), || find(host, mac).is_some());
}

fn wait_until(what: &str, is: impl Fn() -> bool) {
    let started = Instant::now();
    while !is() {
        assert!(started.elapsed() < LIMIT, "still not so: {what}");
    }
}

#[test]
fn both_ends_of_a_cable_by_their_pci_addresses() {
    needs!(Nics);
    let (host, _one) = with_cards();
    let before = (state(&host, "ens3"), state(&host, "ens4"));
    let ends = [(host.container("a"), "ens3", "10.9.0.1/24"), (host.container("b"), "ens4", "10.9.0.2/24")];
    let confs = ends.each_ref().map(|(_, name, address)| {
        let ipam = json!({ "type": "static", "addresses": [{ "address": address }] });
        on_pci(&host, name).set("ipam", ipam)
    });
    for ((pod, name, _), conf) in ends.iter().zip(&confs) {
        let result = host.plugin("host-device").add(conf, pod, "eth0").result();
        assert_eq!(pod.link("eth0")["ifalias"], *name);
        host.plugin("host-device").check(&conf.clone().prev(&result), pod, "eth0").done();
        host.plugin("host-device").status(conf).done();
    }
    // A card takes some seconds to find its cable.
    for (pod, ..) in &ends {
        wait_until("the card has a carrier", || pod.link("eth0")["flags"].to_string().contains("LOWER_UP"));
    }
    assert!(ends[0].0.pings("10.9.0.2") && ends[1].0.pings("10.9.0.1"));
    for ((pod, _, _), conf) in ends.iter().zip(&confs) {
        host.plugin("host-device").del(conf, pod, "eth0").done();
    }
    assert_eq!((state(&host, "ens3"), state(&host, "ens4")), before);
}

/// DEL may be faster than the kernel: then it waits for it.
#[test]
fn del_after_the_namespace_died() {
    needs!(Nics);
    let (host, _one) = with_cards();
    let cases = [("net7", false), ("net7", true), ("ens3", true)];
    for (card, cases) in [("ens3", &cases[..1]), ("ens4", &cases)] {
        let before = state(&host, card);
        for &(name, return_first) in cases {
            let (pod, conf) = given(&host, card);
            dies(&pod, name);
            if return_first {
                wait_for_return(&host, INTEL);
            }
            let outcome = host.plugin("host-device").without("CNI_NETNS").del(&conf, &pod, "eth0");
            outcome.done();
            assert_eq!(state(&host, card), before, "{card} {name}: {outcome:?}");
            assert_eq!(records(), [""; 0]);
        }
    }
}

#[test]
fn gc_and_the_next_add_after_the_namespace_died() {
    needs!(Nics);
    let (host, _one) = with_cards();
    let before = state(&host, "ens4");
    let (pod, conf) = given(&host, "ens4");
    dies(&pod, "ens3");
    wait_for_return(&host, INTEL);
    assert!(host.find_link("ens4").is_none());
    host.plugin("host-device").gc(&conf, &[]).done();
    assert_eq!((state(&host, "ens4"), records().len()), (before.clone(), 0));

    let pod = host.container("pod");
    host.plugin("host-device").add(&conf, &pod, "eth0").result();
    dies(&pod, "net7");
    wait_for_return(&host, INTEL);
    let next = host.container("next");
    // By the name it had before any of this.
    let conf = layer2().set("device", "ens4");
    host.plugin("host-device").add(&conf, &next, "eth0").result();
    assert_eq!((next.link("eth0")["address"].as_str(), records().len()), (Some(INTEL), 1));
    host.plugin("host-device").without("CNI_NETNS").del(&conf, &pod, "eth0").done();
    assert!(next.find_link("eth0").is_some());
    host.plugin("host-device").del(&conf, &next, "eth0").done();
    assert_eq!((state(&host, "ens4"), records().len()), (before, 0));
}

/// Somebody else holds the namespace: the kernel has nothing to return yet.
#[test]
fn a_namespace_that_lives_on_without_a_name() {
    needs!(Nics);
    let (host, _one) = with_cards();
    let before = state(&host, "ens4");
    let (pod, conf) = given(&host, "ens4");
    let holder = File::open(pod.netns()).unwrap();
    pod.remove_netns();
    let outcome = host.plugin("host-device").without("CNI_NETNS").del(&conf, &pod, "eth0");
    outcome.done();
    assert!(outcome.stderr.contains("its record stays for GC"), "{outcome:?}");
    host.plugin("host-device").gc(&conf, &[]).done();
    assert_eq!(records().len(), 1);
    drop(holder);
    wait_for_return(&host, INTEL);
    host.plugin("host-device").gc(&conf, &[]).done();
    assert_eq!((state(&host, "ens4"), records().len()), (before, 0));
}

#[test]
fn a_name_that_was_taken_when_the_kernel_returned_it() {
    needs!(Nics);
    let (host, _one) = with_cards();
    let (pod, conf) = given(&host, "ens4");
    host.run("ip link add ens4 type dummy");
    dies(&pod, "net7");
    let outcome = host.plugin("host-device").without("CNI_NETNS").del(&conf, &pod, "eth0");
    outcome.done();
    assert!(outcome.stderr.contains("ens4 is back on the host as ens4_1"), "{outcome:?}");
    let link = find(&host, INTEL).unwrap();
    assert_eq!(
        (&link["ifname"], &link["ifalias"], &link["mtu"]),
        (&json!("ens4_1"), &json!("ens4"), &json!(1400))
    );
    host.run("ip link del ens4");
}

/// What users pay for: each move waits for every CPU, with the lock of all links held.
#[test]
fn the_kernel_moves_it_once_each_way() {
    needs!(Nics);
    let (host, _one) = with_cards();
    host.sh("mount -t tracefs tracefs /sys/kernel/tracing && cd /sys/kernel/tracing &&
        echo 'p:moved __dev_change_net_namespace' > kprobe_events && echo 1 > events/kprobes/moved/enable");
    let moves = || {
        let profile = host.run("cat /sys/kernel/tracing/kprobe_profile");
        profile.split_whitespace().nth(1).unwrap().parse::<u32>().unwrap()
    };
    let (pod, conf) = given(&host, "ens4");
    assert_eq!(moves(), 1);
    host.plugin("host-device").del(&conf, &pod, "eth0").done();
    assert_eq!(moves(), 2);
    host.reference("host-device").add(&conf.clone().version("1.0.0"), &pod, "eth0").result();
    host.reference("host-device").del(&conf.version("1.0.0"), &pod, "eth0").done();
    println!("the reference: {} moves for ADD and DEL", moves() - 2);
    host.sh("cd /sys/kernel/tracing && echo 0 > events/kprobes/moved/enable && echo > kprobe_events");
}
