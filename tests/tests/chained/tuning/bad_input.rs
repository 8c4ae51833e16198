//! Bad input: one JSON error that names the key, and nothing changed.

use cni_tests::{CniError, Container, Host, Place, Snapshot};
use serde_json::{Value, json};

use crate::tuning::{attached, attributes};

fn refused(host: &Host, pod: &Container, text: &str) -> CniError {
    let state = |host: &Host| -> (Snapshot, _, String) {
        (host.snapshot(), attributes(pod), pod.sysctl("core/somaxconn"))
    };
    let before = state(host);
    let env = [("CNI_CONTAINERID", "pod"), ("CNI_NETNS", "/run/netns/pod"), ("CNI_IFNAME", "eth0")];
    let call = env.iter().fold(host.plugin("tuning"), |call, (name, value)| call.env(name, value));
    let error = call.run("ADD", text.as_bytes()).error();
    let after = state(host);
    after.0.assert_same_as(&before.0, &format!("{text}: {error:?}"));
    assert_eq!((after.1, after.2), (before.1, before.2), "{text}");
    error
}

#[test]
fn bad_input_names_the_key_and_changes_nothing() {
    let host = Host::new();
    let (pod, conf) = attached(&host);
    let outside = "/proc/sys/net";
    let long = format!("net.core.{}", "x".repeat(300));
    let cases: Vec<(&str, Value, u64, Vec<&str>)> = vec![
        ("mac", json!("0a:00:00:00:00"), 7, vec!["mac", "0a:00:00:00:00"]),
        ("mac", json!("01:00:00:00:00:01"), 7, vec!["mac", "one interface"]),
        ("mac", json!(7), 6, vec!["mac"]),
        ("mtu", json!(-1), 7, vec!["mtu", "-1", "68"]),
        ("mtu", json!(70_000), 7, vec!["mtu", "70000", "65535"]),
        ("mtu", json!("1400"), 6, vec!["mtu", "68–65535"]),
        ("txQLen", json!(-5), 7, vec!["txQLen", "-5", "4294967295"]),
        ("txQLen", json!(1.5), 6, vec!["txQLen"]),
        ("promisc", json!("yes"), 6, vec!["promisc"]),
        ("allmulti", json!(1), 6, vec!["allmulti"]),
        ("runtimeConfig", json!({ "mac": "x" }), 7, vec!["runtimeConfig.mac", "x"]),
        ("args", json!({ "cni": { "mac": "x" } }), 7, vec!["args.cni.mac", "x"]),
        ("args", json!({ "cni": { "mtu": 1 } }), 7, vec!["mtu", "68"]),
        (
            "args",
            json!({ "cni": { "sysctl": { "kernel.hostname": "x" } } }),
            7,
            vec!["kernel.hostname", outside],
        ),
        ("args", json!({ "cni": { "sysctl": [] } }), 6, vec!["args.cni.sysctl"]),
        ("sysctl", json!([]), 6, vec!["sysctl"]),
        ("sysctl", json!({ "net.core.somaxconn": 1 }), 6, vec!["net.core.somaxconn", "string"]),
        ("sysctl", json!({ "kernel.hostname": "x" }), 7, vec!["kernel.hostname", outside]),
        ("sysctl", json!({ "net/../kernel/hostname": "x" }), 7, vec!["net/../kernel", outside]),
        ("sysctl", json!({ "net.//.kernel.hostname": "x" }), 7, vec!["kernel.hostname", outside]),
        ("sysctl", json!({ "/proc/sys/net/core/somaxconn": "1" }), 7, vec!["somaxconn", outside]),
        ("sysctl", json!({ "net.core.\u{0}": "1" }), 7, vec!["net.core", outside]),
        ("sysctl", json!({ "": "1" }), 7, vec!["sysctl", outside]),
        (
            "sysctl",
            json!({ "net.core.no_such_thing": "1" }),
            100,
            vec!["no_such_thing", "ENOENT", "no such sysctl"],
        ),
        ("sysctl", json!({ "net.core": "1" }), 100, vec!["net.core"]),
        ("sysctl", json!({ long: "1" }), 100, vec!["net.core.xxx"]),
        ("sysctl", json!({ "net.core.somaxconn": "many" }), 100, vec!["net.core.somaxconn", "many"]),
        // The first is written, and taken back.
        ("sysctl", json!({ "net.core.somaxconn": "99", "net.core.none": "1" }), 100, vec!["net.core.none"]),
    ];
    for (key, value, code, parts) in cases {
        refused(&host, &pod, &conf.clone().set(key, value).text()).says(code, &parts);
    }
    let error = refused(&host, &pod, &conf.remove("prevResult").set("mtu", 1400).text());
    error.says(7, &["prevResult"]);
}

#[test]
fn duplicated_sysctls_are_refused() {
    let host = Host::new();
    let (pod, conf) = attached(&host);
    let twice = |sysctl: &str| conf.text().replacen('{', &format!("{{\"sysctl\":{sysctl},"), 1);
    for sysctl in [
        r#"{"net.core.somaxconn":"1","net.core.somaxconn":"1"}"#,
        r#"{"net.core.somaxconn":"1","net.ipv4.ip_forward":"1","net/core/somaxconn":"2"}"#,
        r#"{"net.ipv4.conf.IFNAME.tag":"1","net.ipv4.conf.eth0.tag":"2"}"#,
    ] {
        refused(&host, &pod, &twice(sysctl)).says(7, &["duplicated", "sysctl"]);
    }
}

#[test]
fn an_interface_name_with_a_slash_is_refused() {
    let host = Host::new();
    let (pod, conf) = attached(&host);
    let conf = conf.set("sysctl", json!({ "net.ipv4.conf.IFNAME.tag": "1" }));
    for name in ["a/b", "../all", "/"] {
        host.plugin("tuning").add(&conf, &pod, name).error().says(4, &["invalid character"]);
    }
    for name in ["..", "."] {
        host.plugin("tuning").add(&conf, &pod, name).error().says(4, &["relative"]);
    }
}

#[test]
fn an_interface_that_is_not_there_is_named() {
    let host = Host::new();
    let (pod, conf) = attached(&host);
    let before = host.snapshot();
    host.plugin("tuning")
        .add(&conf.clone().set("mtu", 1400), &pod, "eth7")
        .error()
        .says(100, &["eth7", "/run/netns/pod"]);
    host.plugin("tuning").add(&conf, &pod, "eth7").result();
    host.snapshot().assert_same_as(&before, "a refused ADD");
}
