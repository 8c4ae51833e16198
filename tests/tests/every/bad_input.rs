//! Bad input: one JSON error with the right code and a text that names the mistake, and nothing made.

use cni_tests::{Call, CniError, Conf, Host, Place, VERSIONS, run};
use serde_json::{Value, json};

/// The error of one ADD of `bridge`, which must leave a host on which a container came and went as it was.
fn refused(conf: &Conf) -> CniError {
    refused_call(conf, |call| call)
}

fn refused_call(conf: &Conf, change: impl Fn(Call) -> Call) -> CniError {
    let host = Host::new();
    let before = host.after_one_container("bridge", &Conf::bridge());
    let pod = host.container("pod");
    let error = change(host.plugin("bridge")).add(conf, &pod, "eth0").error();
    host.snapshot().assert_same_as(&before, &format!("{error:?}"));
    assert_eq!(pod.ip("link show").len(), 1, "{error:?}");
    error
}

#[test]
fn values_that_are_not_allowed() {
    let vlan_trunk = |entry: Value| json!([entry]);
    let addresses = |text: &str| json!({ "type": "static", "addresses": [{ "address": text }] });
    let table: Vec<(&str, Value, u64, &[&str])> = vec![
        ("vlan", json!(-100), 7, &["vlan", "-100", "4094"]),
        ("vlan", json!(5000), 7, &["vlan", "5000", "4094"]),
        ("vlanTrunk", vlan_trunk(json!({ "id": 0 })), 7, &["0", "4094"]),
        ("vlanTrunk", vlan_trunk(json!({ "id": 4095 })), 7, &["4095", "4094"]),
        ("vlanTrunk", vlan_trunk(json!({ "minID": 10 })), 7, &["maxID"]),
        ("vlanTrunk", vlan_trunk(json!({ "maxID": 10 })), 7, &["minID"]),
        ("vlanTrunk", vlan_trunk(json!({ "minID": 20, "maxID": 10 })), 7, &["20", "10"]),
        ("vlanTrunk", vlan_trunk(json!({ "minID": 20, "maxID": 5000 })), 7, &["5000", "4094"]),
        ("mtu", json!(-1), 7, &["mtu", "-1", "68"]),
        ("mtu", json!(67), 7, &["mtu", "67", "68"]),
        ("mtu", json!(70_000), 7, &["mtu", "70000", "65535"]),
        ("ipMasqBackend", json!("pf"), 7, &["ipMasqBackend", "pf", "iptables", "nftables"]),
        ("bridge", json!(""), 7, &["bridge"]),
        ("bridge", json!("sixteen-letters-"), 7, &["bridge", "15"]),
        ("bridge", json!("a/b"), 7, &["bridge", "a/b"]),
        ("bridge", json!("."), 7, &["bridge"]),
        ("bridge", json!("white space"), 7, &["bridge"]),
        ("args", json!({ "cni": { "mac": "zz:00:00:00:00:01" } }), 7, &["args.cni.mac", "zz:00:00:00:00:01"]),
        ("runtimeConfig", json!({ "mac": "0a:00:00:00:01" }), 7, &["runtimeConfig.mac", "0a:00:00:00:01"]),
        ("runtimeConfig", json!({ "mac": "01:00:00:00:00:01" }), 7, &["runtimeConfig.mac", "01:00"]),
        ("ipam", json!({ "type": "../evil" }), 7, &["../evil"]),
        ("ipam", json!({ "type": "missing" }), 7, &["missing", "/run/cni-tests/ours"]),
        ("ipam", json!({ "type": "host-local" }), 7, &["range"]),
        (
            "ipam",
            json!({ "type": "host-local", "subnet": "10.22.0.0/33" }),
            6,
            &["subnet", "10.22.0.0/33", "0–32"],
        ),
        (
            "ipam",
            json!({ "type": "host-local", "subnet": "10.22.0.1/24" }),
            7,
            &["10.22.0.1/24", "10.22.0.0"],
        ),
        ("ipam", json!({ "type": "host-local", "subnet": "10.22.0.0/31" }), 7, &["too small"]),
        ("ipam", addresses("10.22.0.300/24"), 6, &["address", "10.22.0.300/24"]),
        ("ipam", addresses("10.22.0.3"), 6, &["address", "10.22.0.3"]),
        ("ipam", json!({ "type": "static" }), 102, &["address"]),
        // Wrong types: code 6 with the key named.
        ("mtu", json!("1500"), 6, &["mtu"]),
        ("mtu", json!(1.5), 6, &["mtu"]),
        ("isGateway", json!("yes"), 6, &["isGateway"]),
        ("vlanTrunk", json!({}), 6, &["vlanTrunk"]),
        ("bridge", json!(["br0"]), 6, &["bridge"]),
        ("ipam", json!("host-local"), 6, &["ipam"]),
        ("ipam", json!({ "type": 7 }), 6, &["type"]),
        ("dns", json!([]), 6, &["dns"]),
    ];
    for (key, value, code, parts) in table {
        let error = refused(&Conf::bridge().set(key, value.clone()));
        assert_eq!(error.code, code, "{key}: {value}: {error:?}");
        for part in parts {
            assert!(error.text.contains(part), "{key}: {value}: {part:?} is not in {error:?}");
        }
    }
}

#[test]
fn contradictions() {
    let conf = Conf::bridge().set("promiscMode", true).set("hairpinMode", true);
    refused(&conf).says(7, &["promiscMode", "hairpinMode"]);
    let conf = Conf::bridge().set("disableContainerInterface", true);
    refused(&conf).says(7, &["disableContainerInterface", "ipam"]);
}

#[test]
fn cni_args_that_cannot_be_read() {
    for (args, part) in [
        ("MAC", "MAC"),
        ("MAC=0a:00:00:00:00:01;", "pair"),
        ("MAC=not-a-mac", "not-a-mac"),
        ("K8S_POD_NAME=x", "K8S_POD_NAME"),
        ("IgnoreUnknown=perhaps", "perhaps"),
        ("mac=0a:00:00:00:00:01", "mac"),
    ] {
        let error = refused_call(&Conf::bridge(), |call| call.env("CNI_ARGS", args));
        assert!([4, 7].contains(&error.code) && error.text.contains(part), "{args}: {error:?}");
    }
}

#[test]
fn an_environment_that_is_incomplete_names_all_that_is_missing() {
    for plugin in ["bridge", "ptp", "loopback"] {
        let host = Host::new();
        let pod = host.container("pod");
        let call =
            || host.plugin(plugin).without("CNI_CONTAINERID").without("CNI_IFNAME").without("CNI_PATH");
        let error = call().without("CNI_NETNS").add(&Conf::bridge(), &pod, "eth0").error();
        error.says(4, &["[CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH]"]);
        let error = call().without("CNI_NETNS").del(&Conf::bridge(), &pod, "eth0").error();
        error.says(4, &["[CNI_CONTAINERID,CNI_IFNAME,CNI_PATH]"]);
        let error = call().gc(&Conf::bridge().version("1.1.0"), &[]).error();
        error.says(4, &["[CNI_PATH]"]);
    }
}

#[test]
fn an_environment_that_is_invalid() {
    let long = "x".repeat(16);
    for (name, value, part) in [
        ("CNI_CONTAINERID", "../x", "../x"),
        ("CNI_CONTAINERID", "-x", "-x"),
        ("CNI_CONTAINERID", "a b", "a b"),
        ("CNI_IFNAME", long.as_str(), "15"),
        ("CNI_IFNAME", "..", ".."),
        ("CNI_IFNAME", "a/b", "a/b"),
        ("CNI_IFNAME", "a:b", "a:b"),
        ("CNI_IFNAME", "a b", "a b"),
        ("CNI_COMMAND", "WALK", "unknown CNI_COMMAND: WALK"),
    ] {
        let error = refused_call(&Conf::bridge(), |call| call.env(name, value));
        error.says(4, &[part]);
    }
}

#[test]
fn stdin_that_is_no_configuration() {
    let good = Conf::bridge().text();
    let deep = "[".repeat(100_000);
    let texts: [(&[u8], u64); 9] = [
        (b"", 6),
        (b"  \n", 6),
        (&good.as_bytes()[..good.len() - 1], 6),
        (b"\xff\xfe{}", 6),
        (b"[]", 6),
        (b"null", 7),
        (b"{} {}", 6),
        (deep.as_bytes(), 6),
        (b"{\"cniVersion\":\"1.0.0\"}", 7),
    ];
    for plugin in ["bridge", "ptp", "loopback", "host-local", "static"] {
        for verb in ["ADD", "DEL", "CHECK", "GC", "STATUS"] {
            let host = Host::new();
            let pod = host.container("pod");
            let before = host.snapshot();
            for (text, code) in texts {
                let call = host.plugin(plugin).env("CNI_CONTAINERID", "pod").env("CNI_NETNS", pod.netns());
                let error = call.env("CNI_IFNAME", "eth0").run(verb, text).error();
                let start = String::from_utf8_lossy(&text[..text.len().min(40)]).into_owned();
                assert!([code, 6].contains(&error.code), "{plugin} {verb} {start}: {error:?}");
            }
            host.snapshot().assert_same_as(&before, plugin);
        }
    }
}

#[test]
fn names_of_networks() {
    let long = format!("/{}", "n".repeat(300));
    for name in ["../x", "a/b", "/", ".hidden", "white space", "nul\0", long.as_str()] {
        let error = refused(&Conf::bridge().set("name", name));
        assert_eq!(error.code, 7, "{name}: {error:?}");
        assert!(error.text.len() < 2000, "the text stays readable");
    }
    refused(&Conf::bridge().remove("name")).says(7, &["name"]);
}

#[test]
fn versions_nobody_knows() {
    for version in ["0.5.0", "2.0.0", "1.1.1", "0.3"] {
        let error = refused(&Conf::bridge().version(version));
        error.says(1, &["incompatible CNI versions", version, "1.1.0"]);
    }
}

#[test]
fn version_reads_no_stdin_and_lists_all() {
    for plugin in ["bridge", "ptp", "loopback", "host-local", "static"] {
        let host = Host::new();
        let mut command = host.command(&format!("/run/cni-tests/ours/{plugin}"));
        let done = run(command.env_clear().env("CNI_COMMAND", "VERSION"), b"not read");
        let answer: Value = serde_json::from_slice(&done.stdout).unwrap();
        assert_eq!(answer, json!({ "cniVersion": "1.1.0", "supportedVersions": VERSIONS }));
    }
}
