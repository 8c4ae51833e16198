//! The real executable: results, checks, and the reference's answers beside ours.
#![allow(clippy::unwrap_used, reason = "test code")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// Runs one command; returns whether it succeeded, and what it printed (null for nothing).
fn run(program: &Path, verb: &str, args: &str, conf: &Value) -> (bool, Value) {
    let mut command = Command::new(program);
    command.env_clear().env("CNI_COMMAND", verb).env("CNI_CONTAINERID", "a").env("CNI_IFNAME", "eth0");
    command.env("CNI_NETNS", "/nonexistent/netns").env("CNI_PATH", "/nonexistent").env("CNI_ARGS", args);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(conf.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"));
    let answer =
        if output.stdout.is_empty() { Value::Null } else { serde_json::from_slice(&output.stdout).unwrap() };
    (output.status.success(), answer)
}

fn ours(verb: &str, args: &str, conf: &Value) -> (bool, Value) {
    run(Path::new(env!("CARGO_BIN_EXE_static")), verb, args, conf)
}

fn conf(version: &str, ipam: Value) -> Value {
    json!({ "cniVersion": version, "name": "n", "type": "bridge", "ipam": ipam })
}

#[test]
fn add_answers_what_is_configured() {
    let ipam = json!({
        "type": "static",
        "addresses": [{"address": "10.1.2.3/24", "gateway": "10.1.2.254"}, {"address": "2001:db8::7/64"}],
        "routes": [{"dst": "10.9.0.0/16", "gw": "10.1.2.1"}, {"dst": "10.9.0.0/16", "gw": "10.1.2.2"}],
        "dns": {"nameservers": ["192.0.2.1"], "domain": "example", "search": ["a"], "options": ["rotate"]},
    });
    for (version, wanted) in [
        (
            "1.1.0",
            json!({
            "cniVersion": "1.1.0",
            "ips": [{"address": "10.1.2.3/24", "gateway": "10.1.2.254"}, {"address": "2001:db8::7/64"}],
            "routes": ipam["routes"], "dns": ipam["dns"]}),
        ),
        (
            "0.4.0",
            json!({
            "cniVersion": "0.4.0",
            "ips": [{"version": "4", "address": "10.1.2.3/24", "gateway": "10.1.2.254"},
                    {"version": "6", "address": "2001:db8::7/64"}],
            "routes": ipam["routes"], "dns": ipam["dns"]}),
        ),
        (
            "0.2.0",
            json!({
            "cniVersion": "0.2.0",
            "ip4": {"ip": "10.1.2.3/24", "gateway": "10.1.2.254", "routes": ipam["routes"]},
            "ip6": {"ip": "2001:db8::7/64"}, "dns": ipam["dns"]}),
        ),
    ] {
        assert_eq!(ours("ADD", "", &conf(version, ipam.clone())), (true, wanted));
    }
}

#[test]
fn check_compares_gateways_with_the_previous_result() {
    let mut conf = conf(
        "1.1.0",
        json!({ "addresses": [{"address": "10.1.2.3/24", "gateway": "10.1.2.1"},
        {"address": "10.1.2.4/24"}] }),
    );
    let (ok, error) = ours("CHECK", "", &conf);
    assert!(!ok && error["code"] == 7, "{error}");
    assert!(error["msg"].as_str().unwrap().starts_with("Required prevResult missing"), "{error}");
    conf["prevResult"] = ours("ADD", "", &conf).1;
    assert_eq!(ours("CHECK", "", &conf), (true, Value::Null));
    conf["prevResult"]["ips"][0]["gateway"] = "10.1.2.9".into();
    conf["prevResult"]["ips"][1]["gateway"] = "10.1.2.9".into();
    let (ok, error) = ours("CHECK", "", &conf);
    assert!(!ok && error["code"] == 103, "{error}");
    assert_eq!(error["details"], "expected 10.1.2.1, prevResult has 10.1.2.9");
    conf["prevResult"]["ips"] = json!([]);
    assert_eq!(
        ours("CHECK", "", &conf),
        (true, Value::Null),
        "an address that is not listed is no difference"
    );
    conf["prevResult"] = json!({ "cniVersion": "0.2.0" });
    assert_eq!(ours("CHECK", "", &conf).1["code"], 1);
}

#[test]
fn del_and_gc_succeed_whatever_the_configuration_says() {
    let valid = "cni.dev/valid-attachments";
    for mut conf in
        [conf("1.1.0", json!({})), conf("1.1.0", Value::Null), conf("1.1.0", json!({ "addresses": 7 }))]
    {
        conf["prevResult"] = "garbage".into();
        conf[valid] = json!([]);
        for verb in ["DEL", "DEL", "GC"] {
            assert_eq!(ours(verb, "=", &conf), (true, Value::Null), "{verb} {conf}");
        }
    }
}

#[test]
fn status_says_what_add_would_say_about_the_configuration() {
    let status = |ipam: Value| ours("STATUS", "", &conf("1.1.0", ipam));
    assert_eq!(status(json!({ "addresses": [{"address": "10.1.2.3/24"}] })), (true, Value::Null));
    assert_eq!(status(json!({})), (true, Value::Null), "the runtime may give addresses with the attachment");
    assert_eq!(status(Value::Null).1["code"], 7);
    assert_eq!(status(json!({ "addresses": [{}] })).1["code"], 6);
    assert_eq!(status(json!({ "addresses": [{"address": "x"}] })).1["code"], 6);
}

/// The same configurations to both: the same results, and errors for the same ones.
#[test]
fn answers_are_the_references() {
    let found = ["/usr/lib/cni/static", "/opt/cni/bin/static"].iter().map(Path::new).find(|p| p.exists());
    let Some(reference) = found else {
        assert!(std::env::var("CNI_TEST_STRICT").as_deref() != Ok("1"), "the reference is not installed");
        eprintln!("skipped: the reference is not installed");
        return;
    };
    let two = json!([{"address": "10.1.2.3/24"}, {"address": "10.1.2.3/24", "gateway": "10.1.2.1"}]);
    let ips = |list: Value| json!({ "ips": list });
    let mut compared = 0;
    for addresses in [
        json!([]),
        two,
        json!([{"address": "2001:db8:0:0:1::/64", "gateway": "fe80::1"}]),
        json!([{"address": "10.1.2.3"}]),
    ] {
        for args in [
            "",
            "IP=10.9.9.9/8, 11.0.0.1/8;GATEWAY=10.0.0.1,10.1.2.254",
            "IP=::1/64",
            "IP=1.1.1.1",
            "GATEWAY=x",
            "IP=;GATEWAY=",
            "ip=x",
            "IP=1.1.1.1/8,",
        ] {
            for (by_args, by_runtime) in [
                (json!([]), json!([])),
                (json!(["10.5.0.1/16"]), json!([])),
                (json!(["x"]), json!([])),
                (json!(["::1/8"]), json!(["10.6.0.1/16"])),
                (json!([]), json!(["10.6.0.1"])),
            ] {
                for version in ["0.2.0", "0.4.0", "1.0.0"] {
                    let routes = json!([{"dst": "0.0.0.0/0"}, {"dst": "10.0.0.0/8", "gw": "10.1.2.1"}]);
                    let mut conf =
                        conf(version, json!({ "type": "static", "addresses": addresses, "routes": routes }));
                    conf["args"] = json!({ "cni": ips(by_args.clone()) });
                    conf["runtimeConfig"] = ips(by_runtime.clone());
                    let (mine, theirs) = (ours("ADD", args, &conf), run(reference, "ADD", args, &conf));
                    assert_eq!(mine.0, theirs.0, "{args} {conf}: {} {}", mine.1, theirs.1);
                    if mine.0 {
                        assert_eq!(normal(mine.1), normal(theirs.1), "{args} {conf}");
                        compared += 1;
                    }
                }
            }
        }
    }
    assert!(compared > 100, "only {compared} results were compared");
}

/// Debian's release still prints an empty "dns" under 1.0.0.
fn normal(mut answer: Value) -> Value {
    if answer["dns"] == json!({}) {
        answer.as_object_mut().unwrap().remove("dns");
    }
    answer
}
