//! Bad input: an error object with the right code that names the culprit, exit status 1, and nothing made.

use std::process::Command;

use serde_json::{Value, json};

use crate::run::{Call, DataDir};

fn refused(conf: &Value, args: &str, wanted_code: u64, wanted: &str) {
    let (code, text) = Call::new("ADD", "a").env("CNI_ARGS", args).run(conf).error();
    assert_eq!(code, wanted_code, "{conf}: {text}");
    assert!(text.contains(wanted), "{conf}: {wanted}: {text}");
}

#[test]
fn bad_ipam_keys_are_named_and_nothing_is_made() {
    let data = DataDir::new();
    for (ipam, code, wanted) in [
        (json!({}), 7, "no IP ranges specified"),
        (json!({ "ranges": [] }), 7, "no IP ranges specified"),
        (json!({ "ranges": [[]] }), 7, "invalid range set 0: empty range set"),
        (json!({ "ranges": [[{}]] }), 7, "no \"subnet\""),
        (json!({ "ranges": 7 }), 6, "key \"ipam.ranges\""),
        (json!({ "ranges": [[null]] }), 7, "no \"subnet\""),
        (
            json!({ "ranges": [{ "subnet": "10.1.2.0/24" }] }),
            6,
            "key \"ipam.ranges[0]\": it is a range; ipam.ranges is a list of range sets",
        ),
        (json!({ "ranges": { "subnet": "10.1.2.0/24" } }), 6, "write it with two brackets: [[{"),
        (json!({ "ranges": [[{ "subnet": "10.1.2.0/24" }], {}] }), 6, "two brackets"),
        (
            json!({ "subnet": "10.1.2.0/24", "routes": [{ "dst": "default" }] }),
            6,
            "invalid CIDR address \"default\": it must be <ip>/<prefix length>; write 0.0.0.0/0, or ::/0 for IPv6",
        ),
        (
            json!({ "subnet": "10.1.2.0/24", "routes": [{ "dst": "10.9.0.0" }] }),
            6,
            "it must be <ip>/<prefix length>, such as 10.9.0.0/24",
        ),
        (
            json!({ "subnet": "10.1.2.0/24", "gateway": "10.1.2.1/24" }),
            6,
            "key \"ipam.gateway\": invalid IP address \"10.1.2.1/24\": write it without the prefix length, 10.1.2.1",
        ),
        (
            json!({ "subnet": "10.1.2.0/24", "rangeStart": "10.1.2.9/24" }),
            6,
            "write it without the prefix length, 10.1.2.9",
        ),
        (
            json!({ "subnet": "10.1.2.0/24", "routes": [{ "dst": "10.0.0.0/8", "gw": "10.1.2.1/24" }] }),
            6,
            "write it without the prefix length, 10.1.2.1",
        ),
        (json!({ "subnet": "10.1.2.0" }), 6, "key \"ipam.subnet\": invalid CIDR address \"10.1.2.0\""),
        (json!({ "subnet": "10.1.2.0/33" }), 6, "the prefix length must be 0–32"),
        (json!({ "subnet": "2001:db8::/129" }), 6, "the prefix length must be 0–128"),
        (json!({ "subnet": "010.1.2.0/24" }), 6, "key \"ipam.subnet\""),
        (json!({ "subnet": "10.1.2.3/24" }), 7, "10.1.2.0"),
        (json!({ "subnet": "10.1.2.0/31" }), 7, "too small to allocate from; the prefix length must be 0–30"),
        (json!({ "subnet": "2001:db8::/128" }), 7, "the prefix length must be 0–126"),
        (
            json!({ "subnet": "10.1.2.0/24", "rangeStart": "10.1.3.1" }),
            7,
            "it must be from 10.1.2.0 to 10.1.2.255",
        ),
        (json!({ "subnet": "10.1.2.0/24", "rangeEnd": "::1" }), 7, "rangeEnd ::1 not in network"),
        (
            json!({ "subnet": "10.1.2.0/24", "rangeEnd": "x" }),
            6,
            "key \"ipam.rangeEnd\": invalid IP address \"x\"",
        ),
        (json!({ "subnet": "10.1.2.0/24", "gateway": 7 }), 6, "key \"ipam.gateway\""),
        (
            json!({ "subnet": "10.1.2.0/24", "routes": [{"dst": "10.0.0.0/8", "gw": "x"}] }),
            6,
            "ipam.routes[0].gw",
        ),
        (
            json!({ "subnet": "10.1.2.0/24", "resolvConf": "/nonexistent/resolv.conf" }),
            5,
            "/nonexistent/resolv.conf",
        ),
        (json!({ "subnet": "10.1.2.0/24", "resolvConf": "/" }), 7, "not a regular file"),
        (
            json!({ "ranges": [[{"subnet": "10.1.2.0/24"}, {"subnet": "::/64"}]] }),
            7,
            "mixed address families",
        ),
        (json!({ "ranges": [[{"subnet": "10.1.2.0/24"}, {"subnet": "10.1.0.0/16"}]] }), 7, "overlap"),
        (
            json!({ "ranges": [[{"subnet": "10.1.2.0/24"}], [{"subnet": "10.1.0.0/16"}]] }),
            7,
            "range set 0 overlaps with 1",
        ),
    ] {
        refused(&data.conf(ipam), "", code, wanted);
        assert!(!data.network().exists());
    }
}

#[test]
fn bad_documents_are_refused_by_the_right_code() {
    let data = DataDir::new();
    let good = data.subnet("10.1.2.0/24");
    let with = |key: &str, value: Value| {
        let mut conf = good.clone();
        conf[key] = value;
        conf
    };
    for (conf, args, code, wanted) in [
        (with("ipam", Value::Null), "", 7, "IPAM config missing 'ipam' key"),
        (with("ipam", json!([])), "", 6, "key \"ipam\""),
        (with("name", json!("")), "", 7, "missing network name"),
        (with("name", json!("../x")), "", 7, "\"../x\""),
        (with("name", json!("a/b")), "", 7, "network name"),
        (with("name", json!("a\0b")), "", 7, "network name"),
        (with("name", json!("n".repeat(300))), "", 7, "255"),
        (with("name", json!(7)), "", 6, "key \"name\""),
        (with("cniVersion", json!("9.9.9")), "", 1, "\"9.9.9\""),
        (with("runtimeConfig", json!({ "ips": ["10.1.2.300"] })), "", 6, "key \"runtimeConfig.ips[0]\""),
        (with("runtimeConfig", json!({ "ips": [7] })), "", 6, "key \"runtimeConfig.ips[0]\""),
        (
            with("runtimeConfig", json!({ "ipRanges": [[{"subnet": "x"}]] })),
            "",
            6,
            "runtimeConfig.ipRanges[0][0].subnet",
        ),
        (
            with("runtimeConfig", json!({ "ipRanges": [{"subnet": "10.1.2.0/24"}] })),
            "",
            6,
            "key \"runtimeConfig.ipRanges[0]\": it is a range; runtimeConfig.ipRanges is a list of range sets",
        ),
        (with("args", json!({ "cni": { "ips": "10.1.2.3" } })), "", 6, "key \"args.cni.ips\""),
        (good.clone(), "IP=10.1.2.300", 4, "CNI_ARGS: IP: invalid IP address \"10.1.2.300\""),
        (good.clone(), "IP", 4, "it must be KEY=VALUE"),
        (good.clone(), "ip=10.1.2.3", 4, "unknown args"),
        (good.clone(), "IgnoreUnknown=maybe", 4, "IgnoreUnknown"),
    ] {
        refused(&conf, args, code, wanted);
        assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 0, "{conf}");
    }
    let mut two = data.conf(json!({ "ranges": [[{"subnet": "10.1.2.0/24"}], [{"subnet": "10.1.3.0/24"}]] }));
    two["cniVersion"] = "0.2.0".into();
    refused(&two, "", 7, "CNI version 0.2.0 does not support more than 1 address per family");
}

#[test]
fn a_fifo_never_makes_us_wait() {
    let data = DataDir::new();
    let fifo = data.path().join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let conf = data.conf(json!({ "subnet": "10.1.2.0/24", "resolvConf": fifo }));
    refused(&conf, "", 7, "not a regular file");
    let conf = data.subnet("10.1.2.0/29");
    std::fs::create_dir(data.network()).unwrap();
    for name in ["10.1.2.2", "last_reserved_ip.0"] {
        assert!(Command::new("mkfifo").arg(data.network().join(name)).status().unwrap().success());
    }
    // Not a reservation: reclaimed. A pointer that cannot be written is an error, and the address is free again.
    let (code, text) = Call::new("ADD", "a").run(&conf).error();
    assert!(code == 5 && text.contains("last_reserved_ip.0"), "{text}");
    std::fs::remove_file(data.network().join("last_reserved_ip.0")).unwrap();
    assert!(data.reservations().is_empty());
}

#[test]
fn what_stands_where_a_file_should_be_is_left_alone() {
    let data = DataDir::new();
    let conf = data.subnet("10.1.2.0/29");
    std::fs::create_dir_all(data.network().join("10.1.2.2")).unwrap();
    std::os::unix::fs::symlink("/nonexistent/target", data.network().join("10.1.2.3")).unwrap();
    assert_eq!(Call::new("ADD", "a").run(&conf).ips(), ["10.1.2.4/29"]);
    assert!(data.network().join("10.1.2.2").is_dir() && data.network().join("10.1.2.3").is_symlink());
    let (code, text) = Call::new("ADD", "b").env("CNI_ARGS", "IP=10.1.2.2").run(&conf).error();
    assert!(code == 104 && text.contains("held by a file that is no reservation"), "{text}");

    let file = DataDir::new();
    std::fs::write(file.network(), "").unwrap();
    let conf = file.subnet("10.1.2.0/29");
    assert_eq!(Call::new("ADD", "a").run(&conf).error().0, 5);
    assert_eq!(Call::new("DEL", "a").run(&conf).error().0, 5);
}
