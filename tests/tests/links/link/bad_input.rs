//! Bad input: one JSON error with the right code and a text that names the mistake, and nothing made.

use cni_tests::{Case, Host, Place};
use serde_json::{Value, json};

for_each_plugin!(values_that_are_not_allowed);
for_each_plugin!([macvlan, tap] an_ipam_type_that_leaves_cni_path, a_namespace_that_is_none);
for_each_plugin!([macvlan, ipvlan, vlan] masters_that_cannot_be, a_master_that_is_there_twice);
for_each_plugin!([macvlan, tap] cni_args_that_cannot_be_read);

/// A key with its value, the code and what the text says.
type Row = (&'static str, Value, u64, &'static [&'static str]);

fn row(key: &'static str, value: Value, code: u64, parts: &'static [&'static str]) -> Row {
    (key, value, code, parts)
}

fn of_a_mac() -> Vec<Row> {
    vec![
        row("mac", json!("zz:00:00:00:00:01"), 7, &["mac", "zz:00"]),
        row("mac", json!("01:00:00:00:00:01"), 7, &["mac", "01:00"]),
        row("mac", json!("0a:00:00:00:00:00:00:01"), 7, &["mac"]),
        row("runtimeConfig", json!({ "mac": "0a:00:00:00:01" }), 7, &["runtimeConfig.mac", "0a:00:00:00:01"]),
    ]
}

fn of_an_mtu() -> Vec<Row> {
    vec![
        row("mtu", json!(-1), 7, &["mtu", "-1", "68"]),
        row("mtu", json!(67), 7, &["mtu", "67", "68"]),
        row("mtu", json!(70_000), 7, &["mtu", "70000", "65535"]),
        row("mtu", json!("1500"), 6, &["mtu", "68–65535"]),
        row("mtu", json!(1400.5), 6, &["mtu", "1400.5", "68–65535"]),
        row("mtu", json!(1e30), 6, &["mtu", "68–65535"]),
        row("mtu", json!(u64::MAX), 6, &["mtu", "68–65535"]),
        row("mtu", json!([1500]), 6, &["mtu", "list", "68–65535"]),
    ]
}

fn of_a_master() -> Vec<Row> {
    vec![
        row("mtu", json!(1501), 7, &["mtu", "1501", "uplink", "68–1500"]),
        row("mtu", json!(65_535), 7, &["mtu", "68–1500"]),
        row("master", json!("none"), 7, &["none", "on the host"]),
        row("master", json!("sixteen-letters-"), 7, &["sixteen-letters-", "on the host"]),
        row("master", json!("x".repeat(127)), 7, &["on the host"]),
        row("master", json!("x".repeat(128)), 7, &["master", "127"]),
        row("master", json!("a b"), 7, &["master", "a b"]),
        row("master", json!("a/b"), 7, &["master", "a/b"]),
        row("master", json!(["uplink"]), 6, &["master"]),
        row("linkInContainer", json!(true), 7, &["uplink", "in the container", "linkInContainer"]),
        row("linkInContainer", json!("yes"), 6, &["linkInContainer"]),
    ]
}

fn of_any() -> Vec<Row> {
    vec![
        row("ipam", json!({ "type": "missing" }), 7, &["missing", "/run/cni-tests/ours"]),
        row("ipam", json!("host-local"), 6, &["ipam"]),
        row("dns", json!([]), 6, &["dns"]),
    ]
}

fn own(plugin: &str) -> Vec<Row> {
    match plugin {
        "macvlan" => vec![
            row(
                "mode",
                json!("nonsense"),
                7,
                &["mode", "nonsense", r#""bridge", "private", "vepa" or "passthru""#],
            ),
            row("mode", json!("Bridge"), 7, &["mode", "Bridge"]),
            row("mode", json!(4), 6, &["mode"]),
            row("bcqueuelen", json!(-1), 6, &["bcqueuelen"]),
        ],
        "ipvlan" => vec![
            row("mode", json!("l4"), 7, &["mode", "l4", r#""l2", "l3" or "l3s""#]),
            row("flag", json!("public"), 7, &["flag", "public", r#""bridge", "private" or "vepa""#]),
            row("mac", json!("0a:00:00:00:00:01"), 2, &["mac", "0a:00:00:00:00:01", "ipvlan"]),
            row("runtimeConfig", json!({ "mac": "0a:00:00:00:00:01" }), 2, &["runtimeConfig.mac", "ipvlan"]),
        ],
        "vlan" => vec![
            row("vlanId", json!(-1), 7, &["vlanId", "-1", "0–4094"]),
            row("vlanId", json!(4095), 7, &["vlanId", "4095", "0–4094"]),
            row("vlanId", json!(70_000), 7, &["vlanId", "70000"]),
            row("vlanId", json!("5"), 6, &["vlanId"]),
            row("master", json!(""), 7, &["master"]),
        ],
        "tap" => vec![
            row("owner", json!(-1), 6, &["owner"]),
            row("group", json!("users"), 6, &["group"]),
            row("multiQueue", json!(1), 6, &["multiQueue"]),
            row("bridge", json!("a/b"), 7, &["bridge", "a/b"]),
            row("bridge", json!("br0"), 7, &["no bridge br0", "container"]),
            row("bridge", json!("lo"), 7, &["no bridge lo", "container"]),
            row("selinuxContext", json!("system_u:system_r:container_t:s0"), 2, &["container_t", "SELinux"]),
        ],
        _ => vec![row("ipam", json!({}), 7, &["ipam.type"])],
    }
}

fn rows(plugin: &str) -> Vec<Row> {
    let mut rows = [own(plugin), of_any()].concat();
    for (plugins, more) in [
        (&["macvlan", "tap"][..], of_a_mac()),
        (&["macvlan", "ipvlan", "vlan", "tap"], of_an_mtu()),
        (&["macvlan", "ipvlan", "vlan"], of_a_master()),
    ] {
        if plugins.contains(&plugin) {
            rows.extend(more);
        }
    }
    rows
}

/// The error of an ADD that makes no link.
fn refused(case: &Case, host: &Host) -> cni_tests::CniError {
    let pod = host.container("refused");
    let error = case.add(host, &pod).error();
    assert_eq!(pod.ip("link show").len(), 1, "{error:?}");
    pod.remove_netns();
    error
}

fn values_that_are_not_allowed(case: &Case) {
    let host = case.host();
    let before = host.after_one_container(case.plugin, &case.conf);
    for (key, value, code, parts) in rows(case.plugin) {
        let error = refused(&case.with(|conf| conf.set(key, value.clone())), &host);
        assert_eq!(error.code, code, "{key}: {value}: {error:?}");
        for part in parts {
            assert!(error.text.contains(part), "{key}: {value}: {part:?} is not in {error:?}");
        }
    }
    host.snapshot().assert_same_as(&before, "refused ADDs");
}

fn an_ipam_type_that_leaves_cni_path(case: &Case) {
    let host = case.host();
    for name in ["../../bin/true", "/bin/true", ".."] {
        refused(&case.with(|conf| conf.ipam("type", name)), &host).says(7, &[name]);
    }
}

fn a_namespace_that_is_none(case: &Case) {
    let host = case.host();
    host.run("touch /run/file");
    let pod = host.container("pod");
    let before = host.snapshot();
    for path in ["/run/missing", "/run/file", "/proc/self/ns/net", "/proc/self/ns/uts"] {
        let outcome = case.call(&host).env("CNI_NETNS", path).add(&case.conf, &pod, "eth0");
        outcome.error().says(8, &[path]);
    }
    host.snapshot().assert_same_as(&before, "refused ADDs");
}

fn masters_that_cannot_be(case: &Case) {
    let host = case.host();
    host.after_one_container(case.plugin, &case.conf);
    refused(&case.with(|conf| conf.set("master", "lo")), &host).says(100, &["lo", "eth0"]);
    // In the container, where it is not looked for.
    let pod = host.container("pod");
    pod.run("ip link add inside0 type veth");
    let error = case.with(|conf| conf.set("master", "inside0")).add(&host, &pod).error();
    error.says(7, &["inside0", "on the host", "it is in the container", "linkInContainer"]);
    assert!(pod.find_link("eth0").is_none());
}

/// Go takes the last of several equal keys; which of two masters is meant is not for us to guess.
fn a_master_that_is_there_twice(case: &Case) {
    let host = case.host();
    let pod = host.container("pod");
    let call = || {
        let call = case.call(&host).env("CNI_CONTAINERID", "pod").env("CNI_IFNAME", "eth0");
        call.env("CNI_NETNS", pod.netns())
    };
    let with = |key: &str| case.conf.text().replacen('{', &format!("{{{key},"), 1);
    let error = call().run("ADD", with(r#""Master":"other""#).as_bytes()).error();
    error.says(7, &["master", "twice"]);
    assert!(pod.find_link("eth0").is_none());
    call().run("ADD", with(r#""MASTER":"uplink""#).as_bytes()).result();
}

fn cni_args_that_cannot_be_read(case: &Case) {
    let host = case.host();
    let pod = host.container("pod");
    for (args, code, part) in [
        ("MAC", 4, "MAC"),
        ("MAC=not-a-mac", 7, "not-a-mac"),
        ("K8S_POD_NAME=x", 4, "K8S_POD_NAME"),
        ("IgnoreUnknown=perhaps", 4, "perhaps"),
    ] {
        let outcome = case.call(&host).env("CNI_ARGS", args).add(&case.conf, &pod, "eth0");
        outcome.error().says(code, &[part]);
        assert!(pod.find_link("eth0").is_none());
    }
}
