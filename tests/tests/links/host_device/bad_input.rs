//! Input that must be refused before anything moves.

use cni_tests::{Conf, Host, Place};
use serde_json::{Value, json};

use crate::host_device::{conf, layer2, with_device};

#[test]
fn configurations_that_are_refused_move_nothing() {
    let host = with_device();
    let pod = host.container("pod");
    let before = host.snapshot();
    let none = layer2().remove("device");
    let cases: [(Conf, u64, &str); 17] = [
        (none.clone(), 7, "\"device\", \"hwaddr\", \"kernelpath\" or \"pciBusID\""),
        (none.clone().set("device", ""), 7, "\"device\""),
        (none.clone().set("device", "a/b"), 7, "key \"device\""),
        (none.clone().set("device", ".."), 7, "key \"device\""),
        (none.clone().set("device", "x".repeat(128)), 7, "127 bytes"),
        (none.clone().set("device", 7), 6, "device"),
        (none.clone().set("hwaddr", "02:00"), 7, "hwaddr"),
        (none.clone().set("kernelpath", "/sys/class/net/ens5"), 7, "/sys/devices"),
        (none.clone().set("kernelpath", "/sys/devices/../class/net/ens5/device"), 7, "\"..\""),
        (none.clone().set("kernelpath", "devices"), 7, "absolute"),
        (none.clone().set("pciBusID", "3b:00.1"), 7, "0000:3b:00.1"),
        (none.clone().set("pciBusID", "../../../class/net"), 7, "pciBusID"),
        (none.clone().set("pciBusID", "0000:3b:00.1/../0000:3b:00.2"), 7, "pciBusID"),
        (none.clone().set("runtimeConfig", json!({ "deviceID": "../x" })), 7, "runtimeConfig.deviceID"),
        (none.clone().set("runtimeConfig", json!({ "deviceID": ".." })), 7, "runtimeConfig.deviceID"),
        (none.set("device", "lo"), 100, "lo"),
        (conf().ipam("type", "../host-local"), 7, "ipam.type"),
    ];
    for (conf, code, text) in cases {
        host.plugin("host-device").add(&conf, &pod, "eth0").error().says(code, &[text]);
        assert_eq!(pod.ip("link show").len(), 1, "{}", conf.text());
    }
    let left = host.snapshot().since(&before);
    assert!(left.iter().all(|line| line.starts_with("+ directory")), "{left:?}");
}

#[test]
fn a_bridge_cannot_be_moved_and_stays() {
    let host = Host::new();
    let pod = host.container("pod");
    host.run("ip link add br0 up type bridge");
    let before = host.snapshot();
    let error = host.plugin("host-device").add(&layer2().set("device", "br0"), &pod, "eth0").error();
    error.says(100, &["move link br0 to /run/netns/pod", "EINVAL"]);
    let left = host.snapshot().since(&before);
    assert!(left.iter().all(|line| line.starts_with("+ directory")), "{left:?}");
}

#[test]
fn a_name_that_is_taken_in_the_container_and_namespaces_that_are_none() {
    let host = with_device();
    let pod = host.container("pod");
    let before = host.snapshot();
    pod.run("ip link add eth0 type veth peer name other");
    host.plugin("host-device").add(&layer2(), &pod, "eth0").error().says(100, &["eth0 already exists"]);
    host.run("touch /run/file");
    for (path, text) in [("/run/netns/missing", "does not exist"), ("/run/file", "not a network namespace")] {
        let call = host.plugin("host-device").env("CNI_NETNS", path);
        call.add(&layer2(), &pod, "net1").error().says(8, &[text]);
    }
    let own = host.plugin("host-device").env("CNI_NETNS", "/proc/self/ns/net");
    own.add(&layer2(), &pod, "net1").error().says(8, &["should not be the same"]);
    host.snapshot().assert_same_as(&before, "refused ADDs");
}

#[test]
fn keys_in_any_letter_case_and_null() {
    let host = with_device();
    let pod = host.container("pod");
    let conf =
        layer2().remove("device").set("Device", "ens5").set("HWADDR", Value::Null).set("dns", Value::Null);
    host.plugin("host-device").add(&conf, &pod, "eth0").result();
}
