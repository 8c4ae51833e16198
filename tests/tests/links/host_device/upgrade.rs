//! What either suite moved, the other checks and gives back.

use cni_tests::{Place, Suite, differences, needs};
use serde_json::json;

use crate::host_device::{MAC, conf, layer2, plug_in, records, with_device};

/// The reference leaves the device down; Debian's 1.1.1 leaves the alias, too.
fn handover(from: Suite, to: Suite, alias: Option<&str>) {
    let host = with_device();
    // Debian's 1.1.1 speaks 1.0.0.
    let conf = conf().version("1.0.0");
    for with_result in [true, false] {
        let pod = host.container("pod");
        let result = host.call(from, "host-device").add(&conf, &pod, "eth0").result();
        let with = conf.clone().prev(&result);
        host.call(to, "host-device").check(&with, &pod, "eth0").done();
        host.call(to, "host-device").del(if with_result { &with } else { &conf }, &pod, "eth0").done();
        let link = host.link("ens5");
        assert_eq!((link["ifalias"].as_str(), link["address"].as_str()), (alias, Some(MAC)));
        assert!(pod.find_link("eth0").is_none());
        assert_eq!(host.snapshot().lines_with("networks/net/10.9").len(), 0);
        host.run("ip link set ens5 up");
        pod.remove_netns();
    }
}

#[test]
fn what_the_reference_moved_we_give_back() {
    needs!(Reference);
    handover(Suite::Reference, Suite::Ours, None);
    assert_eq!(records(), [""; 0]);
}

#[test]
fn what_we_moved_the_reference_gives_back() {
    needs!(Reference);
    handover(Suite::Ours, Suite::Reference, Some("ens5"));
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

/// Lines with one of these may differ.
const DEVIATIONS: [&str; 5] = [
    // Ours.
    "/run/cni",
    "host-local.index",
    // Set by the reference since a release later than Debian's.
    "keep_addr_on_down",
    // The kernel's own; the reference's IPv6 addresses are still tentative when it returns.
    "table local",
    // What differs by itself: carrier, and when the far end's address is no longer tentative.
    "multicast ff",
];

#[test]
fn both_have_the_same_outcome() {
    needs!(Reference);
    for version in ["0.3.1", "0.4.0", "1.0.0"] {
        for conf in [conf(), conf().ipam("routes", json!([{ "dst": "10.8.0.0/24" }])), layer2()] {
            let conf = conf.version(version);
            let found = differences(&DEVIATIONS, |host, suite, pod| {
                plug_in(host);
                host.call(suite, "host-device").add(&conf, pod, "eth0").result()
            });
            assert!(found.is_empty(), "(+ ours, - the reference's)\n{}\n{}", conf.text(), found.join("\n"));
        }
    }
}
