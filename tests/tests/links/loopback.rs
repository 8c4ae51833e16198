//! Plugin `loopback`: `lo` in the container.

use cni_tests::{Conf, Host, Place, in_every_version};
use serde_json::json;

in_every_version!(result as result_shape);

fn result(version: &str) {
    let host = Host::new();
    let pod = host.container("pod");
    let conf = Conf::loopback().version(version);
    let result = host.plugin("loopback").add(&conf, &pod, "lo").result();
    let expected = match version {
        "0.1.0" | "0.2.0" => json!({
            "cniVersion": version, "ip4": { "ip": "127.0.0.1/8" }, "ip6": { "ip": "::1/128" }, "dns": {},
        }),
        "1.0.0" => json!({
            "cniVersion": version,
            "interfaces": [{ "name": "lo", "mac": "00:00:00:00:00:00", "sandbox": "/run/netns/pod" }],
            "ips": [{ "interface": 0, "address": "127.0.0.1/8" }, { "interface": 0, "address": "::1/128" }],
        }),
        "1.1.0" => json!({
            "cniVersion": version,
            "interfaces": [{ "name": "lo", "mac": "00:00:00:00:00:00", "mtu": 65536, "sandbox": "/run/netns/pod" }],
            "ips": [{ "interface": 0, "address": "127.0.0.1/8" }, { "interface": 0, "address": "::1/128" }],
        }),
        _ => json!({
            "cniVersion": version,
            "interfaces": [{ "name": "lo", "mac": "00:00:00:00:00:00", "sandbox": "/run/netns/pod" }],
            "ips": [
                { "version": "4", "interface": 0, "address": "127.0.0.1/8" },
                { "version": "6", "interface": 0, "address": "::1/128" },
            ],
            "dns": {},
        }),
    };
    assert_eq!(result, expected);
    assert!(pod.pings("127.0.0.1") && pod.pings("::1"));
}

#[test]
fn the_name_of_the_interface_does_not_matter() {
    let host = Host::new();
    let pod = host.container("pod");
    let result = host.plugin("loopback").add(&Conf::loopback(), &pod, "eth7").result();
    assert_eq!(result["interfaces"][0]["name"], "lo");
}

#[test]
fn a_previous_result_passes_through() {
    let host = Host::new();
    let pod = host.container("pod");
    let conf = Conf::bridge().set("isGateway", true);
    let result = host.plugin("bridge").add(&conf, &pod, "eth0").result();
    let after = host.plugin("loopback").add(&Conf::loopback().prev(&result), &pod, "eth0").result();
    assert_eq!(after, result);
    assert!(pod.pings("127.0.0.1"));
}

#[test]
fn an_address_that_is_no_loopback_address_is_refused() {
    let host = Host::new();
    let pod = host.container("pod");
    pod.run("ip address add 192.0.2.1/32 dev lo");
    let error = host.plugin("loopback").add(&Conf::loopback(), &pod, "lo").error();
    assert!(error.text.contains("192.0.2.1"), "{error:?}");
}

#[test]
fn check_wants_it_up_and_del_sets_it_down() {
    let host = Host::new();
    let pod = host.container("pod");
    let result = host.plugin("loopback").add(&Conf::loopback(), &pod, "lo").result();
    let conf = Conf::loopback().prev(&result);
    host.plugin("loopback").check(&conf, &pod, "lo").done();
    pod.run("ip link set lo down");
    let error = host.plugin("loopback").check(&conf, &pod, "lo").error();
    assert!(error.text.contains("lo") && error.text.contains("down"), "{error:?}");
    pod.run("ip link set lo up");
    host.plugin("loopback").del(&conf, &pod, "lo").done();
    assert!(!pod.pings("127.0.0.1"));
    host.plugin("loopback").del(&conf, &pod, "lo").done();
    pod.remove_netns();
    host.plugin("loopback").del(&conf, &pod, "lo").done();
    host.plugin("loopback").without("CNI_NETNS").del(&conf, &pod, "lo").done();
}

#[test]
fn status_and_gc_have_nothing_to_say() {
    let host = Host::new();
    let conf = Conf::loopback().version("1.1.0");
    host.plugin("loopback").status(&conf).done();
    host.plugin("loopback").gc(&conf, &[]).done();
}

/// The second ADD's result cannot be told: the runtime still has the first one's, or had no need of one.
#[test]
fn an_add_again_that_cannot_be_told_leaves_the_first_as_it_was() {
    let host = Host::new();
    let pod = host.container("pod");
    let full = || host.plugin("loopback").under(&["sh", "-c", "exec \"$@\" > /dev/full", "sh"]);
    assert_eq!(full().add(&Conf::loopback(), &pod, "lo").exit, Some(1));
    assert!(!pod.pings("127.0.0.1"), "the first is taken back");
    host.plugin("loopback").add(&Conf::loopback(), &pod, "lo").result();
    assert_eq!(full().add(&Conf::loopback(), &pod, "lo").exit, Some(1));
    assert!(pod.pings("127.0.0.1"));
}
