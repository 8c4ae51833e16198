//! Bad input: one JSON error that names the key, and nothing changed.

use cni_tests::{CniError, Conf, Container, Host, Place, needs};
use serde_json::{Value, json};

use crate::sbr::{conf, dual_stack, state};

fn refused(host: &Host, pod: &Container, conf: &Conf) -> CniError {
    let before = state(host, pod);
    let error = host.plugin("sbr").add(conf, pod, "eth0").error();
    assert_eq!(state(host, pod), before, "{}: {error:?}", conf.text());
    error
}

#[test]
fn values_that_are_not_allowed() {
    let host = Host::new();
    let (pod, conf) = dual_stack(&host);
    let table: [(&str, Value, u64, &[&str]); 16] = [
        ("table", json!(0), 7, &["table 0", "253"]),
        ("table", json!(253), 7, &["table 253"]),
        ("table", json!(254), 7, &["table 254"]),
        ("table", json!(255), 7, &["table 255"]),
        ("table", json!(-1), 7, &["table -1", "4294967295"]),
        ("table", json!(4_294_967_296_u64), 7, &["table 4294967296"]),
        ("table", json!("100"), 6, &["table"]),
        ("table", json!(1.5), 6, &["table"]),
        ("gateways", json!("10.1.0.1"), 6, &["gateways"]),
        ("gateways", json!(["10.1.0.300"]), 6, &["gateways[0]", "10.1.0.300"]),
        ("gateways", json!(["fd00::1", 7]), 6, &["gateways[1]"]),
        ("gateways", json!(["10.1.0.1", "10.1.0.2"]), 7, &["gateways", "10.1.0.1", "10.1.0.2", "one IPv4"]),
        ("gateways", json!(["fd00::1", "10.1.0.1", "fd00::2"]), 7, &["gateways", "fd00::2"]),
        ("addSourceHints", json!("yes"), 6, &["addSourceHints"]),
        // The kernel says no, and all of it is taken back.
        ("gateways", json!(["10.77.0.1"]), 100, &["10.77.0.1", "table 100"]),
        ("gateways", json!(["fd77::1"]), 100, &["fd77::1", "table 101"]),
    ];
    for (key, value, code, parts) in table {
        refused(&host, &pod, &conf.clone().set(key, value)).says(code, parts);
    }
}

#[test]
fn a_chain_that_makes_no_sense() {
    let host = Host::new();
    let (pod, conf) = dual_stack(&host);
    refused(&host, &pod, &conf.clone().remove("prevResult")).says(7, &["chained plugin", "prevResult"]);
    refused(&host, &pod, &crate::sbr::conf(&[])).says(7, &["no IP addresses", "eth0"]);
    refused(&host, &pod, &crate::sbr::conf_of("net1", &[("10.1.0.2/24", "")]))
        .says(7, &["no IP addresses", "eth0"]);
    refused(&host, &pod, &crate::sbr::conf(&[("10.1.0.2/24", "fd00:1::1")]))
        .says(7, &["fd00:1::1", "family"]);
    refused(&host, &pod, &conf.clone().set("prevResult", json!({ "cniVersion": "0.4.0" })))
        .says(1, &["0.4.0"]);
    refused(&host, &pod, &conf.set("prevResult", 7)).says(6, &["prevResult"]);
    let error =
        host.plugin("sbr").add(&crate::sbr::conf_of("eth7", &[("10.7.0.2/24", "")]), &pod, "eth7").error();
    error.says(100, &["eth7", "/run/netns/pod"]);
}

#[test]
fn an_address_without_an_interface_or_with_a_senseless_one_is_ours() {
    for index in [json!(null), json!(-1), json!(77)] {
        let host = Host::new();
        let (pod, _) = dual_stack(&host);
        let mut prev: Value = serde_json::from_str(&conf(&[("10.1.0.2/24", "10.1.0.1")]).text()).unwrap();
        prev["prevResult"]["ips"][0]["interface"] = index;
        host.plugin("sbr").add(&Conf::new(prev), &pod, "eth0").result();
        assert_eq!(crate::sbr::rules(&pod), ["from 10.1.0.2 lookup 100"]);
    }
}

#[test]
fn the_table_of_a_vrf() {
    needs!(Vrf);
    let host = Host::new();
    let (pod, conf) = dual_stack(&host);
    pod.run("ip link add red type vrf table 300");
    refused(&host, &pod, &conf.set("table", 300)).says(7, &["table 300", "red"]);
}
