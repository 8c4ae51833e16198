//! Bad input: one JSON error that names the key and what is allowed, and nothing made.

use cni_tests::{Host, Place};
use serde_json::{Value, json};

use crate::bandwidth::{attached, behind, both, conf, state};

#[test]
fn limits_that_are_not_allowed() {
    let host = Host::new();
    let pod = attached(&host);
    let before = state(&host);
    const BURST_MAX: &str = "34359738359";
    let table: Vec<(Value, u64, &[&str])> = vec![
        (json!({ "ingressRate": -1 }), 6, &["ingressRate", "-1", "0 to 18446744073709551615"]),
        (json!({ "ingressRate": 1e20, "ingressBurst": 80 }), 6, &["ingressRate", "18446744073709551615"]),
        (json!({ "egressRate": 1.5 }), 6, &["egressRate", "whole number"]),
        (json!({ "egressRate": "8M" }), 6, &["egressRate", "8M"]),
        (json!({ "egressBurst": [] }), 6, &["egressBurst"]),
        (json!({ "ingressBurst": 80 }), 7, &["ingressBurst", "80", "ingressRate", "8 bits/s"]),
        (json!({ "ingressRate": 0, "ingressBurst": 80 }), 7, &["ingressBurst", "ingressRate is 0"]),
        (json!({ "egressRate": 0, "egressBurst": 80 }), 7, &["egressBurst", "egressRate is 0"]),
        (json!({ "egressRate": 7, "egressBurst": 80 }), 7, &["egressRate", "7", "at least 8"]),
        (json!({ "egressRate": u64::MAX }), 7, &["egressRate", "18446744073709551615", "34359738352000000"]),
        (
            json!({ "egressRate": 8_000_008, "egressBurst": 8 }),
            7,
            &["egressBurst", "egressRate", "8000008", "32 bits"],
        ),
        (json!({ "egressRate": 80, "egressBurst": 7 }), 7, &["egressBurst", "7", "at least 8"]),
        (
            json!({ "ingressRate": 80, "ingressBurst": 34_359_738_368_u64 }),
            7,
            &["ingressBurst", "4GB", BURST_MAX],
        ),
        (json!({ "ingressRate": 80, "ingressBurst": u64::MAX }), 7, &["ingressBurst", "4GB", BURST_MAX]),
    ];
    for (keys, code, parts) in table {
        for runtime in [false, true] {
            let conf = match (&keys, runtime) {
                (keys, true) => conf("1.0.0").set("runtimeConfig", json!({ "bandwidth": keys })),
                (Value::Object(keys), false) => {
                    keys.iter().fold(conf("1.0.0"), |conf, (key, value)| conf.set(key, value.clone()))
                }
                _ => unreachable!(),
            };
            let error = host.plugin("bandwidth").add(&conf, &pod, "eth0").error();
            error.says(code, parts);
            assert_eq!(runtime, error.text.contains("runtimeConfig.bandwidth"), "{error:?}");
            assert_eq!(state(&host), before, "{keys}");
        }
    }
    for key in ["runtimeConfig", "args"] {
        let conf = conf("1.0.0").set(key, json!({ "bandwidth": 7 }));
        let outcome = host.plugin("bandwidth").add(&conf, &pod, "eth0");
        if key == "args" {
            drop(outcome.result());
        } else {
            outcome.error().says(6, &["runtimeConfig.bandwidth"]);
        }
    }
}

#[test]
fn an_interface_that_cannot_be_limited() {
    let host = Host::new();
    let pod = attached(&host);
    let third = host.container("third");
    host.run("ip link add eth2 netns pod type veth peer name far netns third");
    host.run("ip link add eth3 netns pod type bridge");
    let before = state(&host);
    let add = |conf, ifname| {
        let error = host.plugin("bandwidth").add(&conf, &pod, ifname).error();
        assert_eq!(state(&host), before, "{error:?}");
        error
    };
    for conf in [both(), conf("1.0.0")] {
        add(conf.remove("prevResult"), "eth0").says(7, &["prevResult", "chain"]);
    }
    let none = json!({ "cniVersion": "1.0.0" });
    add(both().prev(&none), "eth0").says(7, &["host0", "eth0", "prevResult"]);
    let elsewhere = both().prev(&json!({ "cniVersion": "1.0.0",
        "interfaces": [{ "name": "host0", "sandbox": "/run/netns/pod" }] }));
    add(elsewhere, "eth0").says(7, &["host0", "eth0", "prevResult"]);
    add(behind(both(), "1.0.0", "host9", "pod", "eth0"), "eth0").says(7, &["host0", "eth0", "prevResult"]);
    add(both(), "eth9").says(7, &["eth9", "/run/netns/pod"]);
    add(behind(both(), "1.0.0", "host0", "pod", "eth2"), "eth2").says(7, &["eth2", "no veth peer"]);
    add(behind(both(), "1.0.0", "host0", "pod", "eth3"), "eth3").says(7, &["eth3", "no veth peer"]);
    assert!(third.find_link("far").is_some());
    let error =
        host.plugin("bandwidth").env("CNI_NETNS", "/run/netns/none").add(&both(), &pod, "eth0").error();
    error.says(8, &["/run/netns/none"]);
}

/// Whoever has qdiscs there keeps them.
#[test]
fn qdiscs_of_others_stay() {
    let host = Host::new();
    let pod = attached(&host);
    for (command, undo) in [
        ("root handle 1: tbf rate 1mbit burst 10000 latency 25ms", "root"),
        ("ingress", "ingress"),
        ("clsact", "clsact"),
    ] {
        host.run(&format!("tc qdisc add dev host0 {command}"));
        let before = state(&host);
        host.plugin("bandwidth").add(&both(), &pod, "eth0").error().says(100, &["host0", "EEXIST"]);
        assert_eq!(state(&host), before, "{command}");
        host.run(&format!("tc qdisc del dev host0 {undo}"));
    }
    host.plugin("bandwidth").add(&both(), &pod, "eth0").result();
    let before = state(&host);
    host.plugin("bandwidth").add(&both(), &pod, "eth0").error().says(100, &["host0", "EEXIST"]);
    host.sh("tc qdisc del dev host0 root; tc qdisc del dev host0 ingress");
    let error = host.plugin("bandwidth").add(&both(), &pod, "eth0").error();
    error.says(100, &["ifb", "eth0", "DEL"]);
    assert_eq!(host.snapshot(), before.0);
}
