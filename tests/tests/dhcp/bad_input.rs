//! Configurations that make no sense get an error that names the key, and ask no server.

use cni_tests::{Host, needs};
use serde_json::{Value, json};

use crate::{conf, kea, server};

#[test]
fn bad_options_are_named() {
    needs!(Kea);
    let host = Host::new();
    let kea = kea(&server(&host), [600, 300, 500]);
    let _daemon = host.dhcp_daemon(&[]);
    let before = host.snapshot();
    let long = "x".repeat(256);
    let cases: [(&str, Value, u64, &[&str]); 13] = [
        (
            "provide",
            json!([{ "option": "nonsense", "value": "x" }]),
            7,
            &["ipam.provide[0].option", "nonsense"],
        ),
        ("provide", json!([{ "option": "256", "value": "x" }]), 7, &["ipam.provide[0].option", "256"]),
        ("provide", json!([{ "option": "-1", "value": "x" }]), 7, &["ipam.provide[0].option", "-1"]),
        ("provide", json!([{ "option": "12", "value": long }]), 7, &["ipam.provide[0]", "255"]),
        ("provide", json!([{ "option": "53", "value": "x" }]), 7, &["ipam.provide[0].option", "53"]),
        ("provide", json!([{ "option": 12, "value": "x" }]), 6, &["provide[0].option"]),
        ("provide", json!({ "option": "12" }), 6, &["provide"]),
        ("request", json!([{ "option": "router" }]), 7, &["ipam.request[0].option", "router"]),
        ("request", json!([{ "skipDefault": "yes", "option": "3" }]), 6, &["request[0].skipDefault"]),
        ("priority", json!(-1), 7, &["ipam.priority", "-1"]),
        ("priority", json!("high"), 6, &["ipam.priority"]),
        ("daemonSocketPath", json!("relative.sock"), 7, &["ipam.daemonSocketPath", "relative.sock"]),
        ("daemonSocketPath", json!(7), 6, &["ipam.daemonSocketPath"]),
    ];
    for (n, (key, value, code, parts)) in cases.into_iter().enumerate() {
        let pod = host.container(&format!("pod{n}"));
        let conf = conf().ipam(key, value);
        host.plugin("bridge").add(&conf, &pod, "eth0").error().says(code, parts);
        host.plugin("dhcp").status(&conf).error().says(code, parts);
        // DEL works whatever the configuration says.
        host.plugin("bridge").del(&conf, &pod, "eth0").done();
        pod.remove_netns();
    }
    host.snapshot().assert_same_as(&before, "failed ADDs");
    assert_eq!(kea.received("DHCPDISCOVER"), 0);
}

#[test]
fn without_ipam_and_with_too_long_names() {
    let host = Host::new();
    let _daemon = host.dhcp_daemon(&[]);
    let pod = host.container("pod");
    let none = conf().remove("ipam");
    host.plugin("dhcp").add(&none, &pod, "eth0").error().says(7, &["IPAM config missing 'ipam' key"]);
    let path = format!("/run/{}.sock", "x".repeat(120));
    let long = conf().ipam("daemonSocketPath", &*path);
    let error = host.plugin("dhcp").add(&long, &pod, "eth0").error();
    assert!(error.text.contains(&path[..60]), "{error:?}");
    host.plugin("dhcp").del(&long, &pod, "eth0").done();
    let missing = host.plugin("dhcp").env("CNI_NETNS", "/run/netns/none").add(&conf(), &pod, "eth0").error();
    missing.says(8, &["/run/netns/none"]);
}

#[test]
fn another_daemon_is_found_by_its_path() {
    needs!(Kea);
    let host = Host::new();
    let kea = kea(&server(&host), [600, 300, 500]);
    let _daemon = host.dhcp_daemon(&["-socketpath", "/run/other/dhcp.sock"]);
    let pod = host.container("pod");
    host.plugin("bridge").add(&conf(), &pod, "eth0").error().says(11, &["/run/cni/dhcp.sock"]);
    let other = conf().ipam("daemonSocketPath", "/run/other/dhcp.sock");
    host.plugin("bridge").add(&other, &pod, "eth0").result();
    kea.holds_count(1);
    host.plugin("bridge").del(&other, &pod, "eth0").done();
    kea.holds(&[]);
}
