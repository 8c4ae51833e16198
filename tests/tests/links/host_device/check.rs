//! CHECK finds what changed; STATUS says whether the device is there.

use cni_tests::{IpamScript, Place};
use serde_json::json;

use crate::host_device::{conf, layer2, rename, with_device};

#[test]
fn each_change_is_found() {
    for (change, text) in [
        ("true", ""),
        ("ip link del eth0", "eth0 is gone"),
        ("ip link set eth0 down; ip link set eth0 name mine", "eth0 is gone"),
        ("ip link set eth0 address 02:00:00:00:00:99", "02:00:00:00:00:99"),
        ("ip address del 10.9.0.2/24 dev eth0", "10.9.0.2/24 is missing"),
        ("ip address del fd00:9::2/64 dev eth0", "fd00:9::2/64 is missing"),
        ("ip route del 10.8.0.0/24", "10.8.0.0/24"),
        ("ip link set eth0 down", "10."),
    ] {
        let host = with_device();
        let pod = host.container("pod");
        let conf = conf().ipam("routes", json!([{ "dst": "10.8.0.0/24" }]));
        let result = host.plugin("host-device").add(&conf, &pod, "eth0").result();
        let conf = conf.prev(&result);
        pod.sh(change);
        let outcome = host.plugin("host-device").check(&conf, &pod, "eth0");
        if text.is_empty() {
            outcome.done();
        } else {
            outcome.error().says(103, &[text]);
        }
    }
}

#[test]
fn a_link_that_is_not_the_device() {
    let host = with_device();
    let pod = host.container("pod");
    let result = host.plugin("host-device").add(&layer2(), &pod, "eth0").result();
    let conf = layer2().prev(&result);
    rename(&pod, "mine");
    let mac = result["interfaces"][0]["mac"].as_str().unwrap();
    pod.run(&format!("ip link add eth0 address {mac} type veth peer name other"));
    host.plugin("host-device").check(&conf, &pod, "eth0").error().says(103, &["not the device ens5"]);
    host.plugin("host-device").check(&layer2(), &pod, "eth0").error().says(7, &["prevResult"]);
    let elsewhere = host.container("elsewhere");
    host.plugin("host-device").check(&conf, &elsewhere, "eth0").error().says(103, &["sandbox mismatch"]);
}

/// Without addresses nothing else tells.
#[test]
fn a_device_that_is_down() {
    let host = with_device();
    let pod = host.container("pod");
    let result = host.plugin("host-device").add(&layer2(), &pod, "eth0").result();
    let conf = layer2().prev(&result);
    host.plugin("host-device").check(&conf, &pod, "eth0").done();
    pod.run("ip link set eth0 down");
    host.plugin("host-device").check(&conf, &pod, "eth0").error().says(103, &["eth0 is down"]);
}

#[test]
fn ipam_is_asked() {
    let host = with_device();
    let pod = host.container("pod");
    let result = host.plugin("host-device").add(&layer2(), &pod, "eth0").result();
    let failing = IpamScript::that_runs_on(&host, "CHECK", "exit 1");
    let conf = failing.for_conf(layer2()).prev(&result);
    host.plugin("host-device").check(&conf, &pod, "eth0").error().says(102, &["ipam-script"]);
    let failing = IpamScript::that_runs_on(&host, "STATUS", "exit 1");
    host.plugin("host-device").status(&failing.for_conf(layer2())).error().says(102, &["ipam-script"]);
    assert!(failing.calls().contains(&"CHECK".to_owned()));
}

#[test]
fn status_is_about_the_device_wherever_it_is() {
    let host = with_device();
    let pod = host.container("pod");
    let before = host.snapshot();
    host.plugin("host-device").status(&layer2()).done();
    host.plugin("host-device").status(&layer2().set("device", "ens9")).error().says(50, &["no device ens9"]);
    host.plugin("host-device").status(&layer2().remove("device")).error().says(7, &["pciBusID"]);
    let assigned = layer2().remove("device").set("capabilities", json!({ "deviceID": true }));
    host.plugin("host-device").status(&assigned).done();
    host.plugin("host-device")
        .status(&layer2().set("ipam", json!({ "type": "missing" })))
        .error()
        .says(50, &["missing"]);
    host.plugin("host-device").status(&layer2().version("1.0.0")).error().says(1, &["STATUS"]);
    host.snapshot().assert_same_as(&before, "STATUS");
    host.plugin("host-device").add(&layer2(), &pod, "eth0").result();
    host.plugin("host-device").status(&layer2()).done();
    host.sh("rm -r /run/cni; mkdir /run/ro; mount -t tmpfs -o ro tmpfs /run/ro; ln -s /run/ro /run/cni");
    host.plugin("host-device").status(&layer2()).error().says(50, &["/run/cni", "EROFS"]);
}
