//! Plugin `bridge` without addresses, and what its ports can be told.

use cni_tests::{Conf, Container, Host, Place};
use serde_json::json;

fn port_of(host: &Host, conf: &Conf, pod: &Container) -> serde_json::Value {
    let result = host.plugin("bridge").add(conf, pod, "eth0").result();
    host.link(result["interfaces"][1]["name"].as_str().unwrap())["linkinfo"]["info_slave_data"].clone()
}

#[test]
fn layer_2_has_interfaces_and_no_addresses() {
    let host = Host::new();
    let pod = host.container("pod");
    let result = host.plugin("bridge").add(&Conf::layer2_bridge(), &pod, "eth0").result();
    assert_eq!(result["interfaces"].as_array().unwrap().len(), 3);
    assert!(result.get("ips").is_none() && result.get("routes").is_none());
    assert_eq!(pod.link("eth0")["operstate"], "UP");
    assert!(pod.addresses("eth0").is_empty());
}

#[test]
fn layer_2_carries_frames() {
    let host = Host::new();
    let pods = ["one", "two"].map(|id| host.container(id));
    for (pod, address) in pods.iter().zip(["192.0.2.1/24", "192.0.2.2/24"]) {
        host.plugin("bridge").add(&Conf::layer2_bridge(), pod, "eth0").result();
        pod.run(&format!("ip address add {address} dev eth0"));
    }
    assert!(pods[0].pings("192.0.2.2"));
}

#[test]
fn an_empty_ipam_object_is_layer_2() {
    let host = Host::new();
    let pod = host.container("pod");
    let conf = Conf::bridge().set("ipam", json!({}));
    let result = host.plugin("bridge").add(&conf, &pod, "eth0").result();
    assert!(result.get("ips").is_none());
}

#[test]
fn layer_2_cannot_be_told_in_the_first_versions_and_leaves_nothing() {
    for version in ["0.1.0", "0.2.0"] {
        let host = Host::new();
        let before = host.after_one_container("bridge", &Conf::layer2_bridge());
        let pod = host.container("pod");
        let outcome = host.plugin("bridge").add(&Conf::layer2_bridge().version(version), &pod, "eth0");
        assert!(outcome.error().text.contains("cannot convert: no valid IP addresses"), "{outcome:?}");
        assert!(pod.find_link("eth0").is_none());
        host.snapshot().assert_same_as(&before, "an ADD that could not be told");
    }
}

#[test]
fn disable_container_interface_leaves_it_down_without_any_address() {
    let host = Host::new();
    let pod = host.container("pod");
    let conf = Conf::layer2_bridge().set("disableContainerInterface", true);
    host.plugin("bridge").add(&conf, &pod, "eth0").result();
    let link = pod.link("eth0");
    assert!(!link["flags"].as_array().unwrap().contains(&json!("UP")), "{link}");
    assert_eq!(pod.run("ip -6 address show dev eth0"), "");
}

#[test]
fn hairpin_mode_is_set_on_the_port() {
    let host = Host::new();
    for (id, on) in [("off", false), ("on", true)] {
        let port = port_of(&host, &Conf::layer2_bridge().set("hairpinMode", on), &host.container(id));
        assert_eq!(port["hairpin"], on);
    }
}

#[test]
fn promisc_mode_is_set_on_the_bridge() {
    let host = Host::new();
    host.plugin("bridge").add(&Conf::layer2_bridge(), &host.container("off"), "eth0").result();
    assert_eq!(host.link("br0")["promiscuity"], 0);
    let conf = Conf::layer2_bridge().set("promiscMode", true);
    host.plugin("bridge").add(&conf, &host.container("on"), "eth0").result();
    assert_eq!(host.link("br0")["promiscuity"], 1);
}

#[test]
fn isolated_ports_reach_the_gateway_but_not_each_other() {
    let host = Host::new();
    let conf = Conf::bridge().set("isGateway", true).set("portIsolation", true);
    let pods = ["one", "two"].map(|id| host.container(id));
    for pod in &pods {
        assert_eq!(port_of(&host, &conf, pod)["isolated"], true);
    }
    assert!(pods[0].pings("10.22.0.1"));
    assert!(!pods[0].pings("10.22.0.3"));
    let open = host.container("open");
    assert_eq!(port_of(&host, &conf.set("portIsolation", false), &open)["isolated"], false);
    assert!(open.pings("10.22.0.2"));
}
