//! What either suite moved, the other checks and gives back.

use cni_tests::{Call, Host, Place, needs};

use crate::{conf, records, with_device};

type Suite = fn(&Host, &str) -> Call;

const OURS: Suite = |host, plugin| host.plugin(plugin);

const REFERENCE: Suite = |host, plugin| host.reference(plugin);

/// The reference leaves the device down.
fn handover(from: Suite, to: Suite) {
    let host = with_device();
    // Debian's 1.1.1 speaks 1.0.0.
    let conf = conf().version("1.0.0");
    for with_result in [true, false] {
        let pod = host.container("pod");
        let result = from(&host, "host-device").add(&conf, &pod, "eth0").result();
        let with = conf.clone().prev(&result);
        to(&host, "host-device").check(&with, &pod, "eth0").done();
        to(&host, "host-device").del(if with_result { &with } else { &conf }, &pod, "eth0").done();
        let link = host.link("ens5");
        assert_eq!((link.get("ifalias"), &link["address"]), (None, &crate::MAC.into()));
        assert!(pod.find_link("eth0").is_none());
        assert_eq!(host.snapshot().lines_with("networks/net/10.9").len(), 0);
        host.run("ip link set ens5 up");
        pod.remove_netns();
    }
}

#[test]
fn what_the_reference_moved_we_give_back() {
    needs!(Reference);
    handover(REFERENCE, OURS);
    assert_eq!(records(), [""; 0]);
}

#[test]
fn what_we_moved_the_reference_gives_back() {
    needs!(Reference);
    handover(OURS, REFERENCE);
}

/// Its record is of no use any more, and goes with the next ADD of the device.
#[test]
fn there_and_back_again() {
    needs!(Reference);
    let host = with_device();
    let conf = conf().version("1.0.0");
    let pod = host.container("pod");
    host.plugin("host-device").add(&conf, &pod, "eth0").result();
    host.reference("host-device").del(&conf, &pod, "eth0").done();
    assert_eq!(records().len(), 1);
    let next = host.container("next");
    host.plugin("host-device").add(&conf, &next, "eth0").result();
    assert_eq!(records().len(), 1);
    host.plugin("host-device").del(&conf, &pod, "eth0").done();
    assert!(next.pings("10.9.0.1"), "a DEL of the one before does not take it away");
    host.plugin("host-device").del(&conf, &next, "eth0").done();
    assert_eq!(records(), [""; 0]);
}

#[test]
fn both_give_the_same_result() {
    needs!(Reference);
    let results = [OURS, REFERENCE].map(|suite| {
        let host = with_device();
        let pod = host.container("pod");
        let conf = conf().version("1.0.0");
        let mut result = suite(&host, "host-device").add(&conf, &pod, "eth0").result();
        // An addition of spec 1.1.0 that Debian's build does not know.
        result["interfaces"][0].as_object_mut().unwrap().remove("mtu");
        let addresses = (pod.addresses("eth0"), pod.link("eth0")["ifalias"].clone());
        (result, addresses, pod.routes("-4", "10.9.0.0/24").len())
    });
    assert_eq!(results[0], results[1]);
}
