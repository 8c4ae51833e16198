//! Bad input: an error object with its code, and nothing made.

use std::time::{Duration, Instant};

use cni_tests::{Conf, Host, Place};
use serde_json::{Value, json};

use crate::flannel::spy::{Spy, spied};
use crate::flannel::{SUBNET_ENV, conf, node, write_subnet_env};

/// ADD fails like this, without the delegate's being run and without a trace.
fn refused(host: &Host, conf: &Conf, code: u64, parts: &[&str]) {
    let spy = Spy::new(host);
    let pod = host.container("pod");
    let before = host.snapshot();
    spy.flannel(host).add(conf, &pod, "eth0").error().says(code, parts);
    assert!(spy.calls().is_empty());
    host.snapshot().assert_same_as(&before, &format!("ADD of {}", conf.text()));
    pod.remove_netns();
}

#[test]
fn keys() {
    let host = node();
    let spied = || spied(conf("1.0.0"));
    let delegate = |value: Value| conf("1.0.0").set("delegate", value);
    refused(&host, &delegate(json!(7)), 6, &["delegate"]);
    refused(&host, &delegate(json!([])), 6, &["delegate"]);
    refused(&host, &delegate(json!({ "type": 7 })), 6, &["delegate.type", "string"]);
    refused(&host, &delegate(json!({ "type": "" })), 7, &["delegate.type"]);
    refused(&host, &delegate(json!({ "type": null })), 7, &["delegate.type"]);
    for path in ["../spy", "/run/spy/spy", "a/b", ".", "..", "spy\u{0}"] {
        refused(&host, &delegate(json!({ "type": path })), 7, &["delegate.type", "one path component"]);
    }
    refused(&host, &delegate(json!({ "type": "nobody" })), 7, &["nobody", "/run/spy"]);
    for key in ["name", "ipam", "NAME", "Ipam"] {
        let lower = key.to_lowercase();
        refused(
            &host,
            &delegate(json!({ "type": "spy", key: null })),
            7,
            &["delegate", &lower, "flannel sets it"],
        );
    }
    refused(&host, &spied().set("ipam", "host-local"), 6, &["ipam"]);
    refused(&host, &spied().set("ipam", json!({ "type": 7 })), 6, &["ipam.type"]);
    refused(&host, &spied().set("ipam", json!({ "routes": {} })), 6, &["ipam.routes"]);
    let routes = json!({ "routes": [{ "dst": "10.0.0.0/8" }, { "dst": "x" }] });
    refused(&host, &spied().set("ipam", routes), 6, &["ipam.routes[1].dst"]);
    refused(&host, &spied().set("subnetFile", 7), 6, &["subnetFile"]);
    refused(&host, &spied().set("runtimeConfig", "x"), 6, &["runtimeConfig"]);
    refused(&host, &spied().set("cniVersion", "0.9.0"), 1, &["0.9.0"]);
    refused(&host, &spied().set("name", "../x"), 7, &["name"]);
}

#[test]
fn a_subnet_that_is_not_there_is_code_11_at_once() {
    let host = Host::new();
    let started = Instant::now();
    refused(&host, &spied(conf("1.0.0")), 11, &["flanneld has not written /run/flannel/subnet.env yet"]);
    refused(&host, &spied(conf("1.0.0")).set("subnetFile", "/run/x"), 11, &["/run/x"]);
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    write_subnet_env(SUBNET_ENV);
    Spy::new(&host).flannel(&host).add(&spied(conf("1.0.0")), &host.container("pod"), "eth0").result();
}

#[test]
fn a_subnet_that_is_not_right() {
    let host = Host::new();
    let conf = spied(conf("1.0.0"));
    let file = "/run/flannel/subnet.env";
    for (text, says) in [
        (
            "",
            "FLANNEL_NETWORK, FLANNEL_IPV6_NETWORK, FLANNEL_SUBNET, FLANNEL_IPV6_SUBNET, FLANNEL_MTU, FLANNEL_IPMASQ",
        ),
        ("FLANNEL_NETWORK=10.0.0.0/8\nFLANNEL_SUBNET=10.1.0.0/16", "FLANNEL_MTU, FLANNEL_IPMASQ"),
        (
            " FLANNEL_MTU=1\nFLANNEL_IPMASQ=x\nFLANNEL_IPV6_NETWORK=::/0\nFLANNEL_IPV6_SUBNET=::/64",
            "FLANNEL_MTU",
        ),
    ] {
        write_subnet_env(text);
        refused(&host, &conf, 7, &[&format!("{file} is missing {says}: ")]);
    }
    write_subnet_env(
        "FLANNEL_NETWORK=10.0.0.0\nFLANNEL_SUBNET=10.244.7.1/33\nFLANNEL_MTU=-5\nFLANNEL_IPMASQ=true",
    );
    let values = ["FLANNEL_NETWORK: ", "FLANNEL_SUBNET: ", "FLANNEL_MTU: ", "10.244.7.1/33", "-5"];
    refused(&host, &conf, 7, &[&[file, "invalid values"][..], &values].concat());
    refused(&host, &conf.clone().set("subnetFile", "/run"), 5, &["/run", "EISDIR"]);
    // Nothing waits for a FIFO.
    host.run("mkfifo /run/fifo");
    refused(&host, &conf.set("subnetFile", "/run/fifo"), 7, &["/run/fifo is missing"]);
}

#[test]
fn the_namespace_and_the_interface() {
    let host = node();
    let spy = Spy::new(&host);
    let pod = host.container("pod");
    let before = host.snapshot();
    let call = |netns: &str| spy.flannel(&host).env("CNI_NETNS", netns);
    call("/run/netns/missing")
        .add(&spied(conf("1.0.0")), &pod, "eth0")
        .error()
        .says(8, &["/run/netns/missing"]);
    call("/run").add(&spied(conf("1.0.0")), &pod, "eth0").error().says(8, &["/run"]);
    // A second ADD must not take the first one's attachment back.
    pod.run("ip link add eth0 type veth peer name other");
    spy.flannel(&host).add(&spied(conf("1.0.0")), &pod, "eth0").error().says(100, &["eth0"]);
    assert!(spy.calls().is_empty());
    host.snapshot().assert_same_as(&before, "refused ADDs");
}
