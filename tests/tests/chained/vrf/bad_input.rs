//! Bad input: one JSON error that names the key, and nothing changed. What is refused before the kernel is asked needs
//! no VRF in it.

use cni_tests::{CniError, Conf, Container, Host, Place, needs};
use serde_json::{Value, json};

use crate::vrf::{dual_stack, state};

fn refused(host: &Host, pod: &Container, conf: &Conf) -> CniError {
    let before = state(host, pod);
    let error = host.plugin("vrf").add(conf, pod, "eth0").error();
    assert_eq!(state(host, pod), before, "{}: {error:?}", conf.text());
    error
}

#[test]
fn values_that_are_not_allowed() {
    let host = Host::new();
    let (pod, conf) = dual_stack(&host);
    let table: [(&str, Value, u64, &[&str]); 13] = [
        ("vrfname", json!(""), 7, &["vrfname", "empty"]),
        ("vrfname", json!("sixteen-letters-"), 7, &["vrfname", "15 bytes"]),
        ("vrfname", json!("a/b"), 7, &["vrfname", "a/b"]),
        ("vrfname", json!(".."), 7, &["vrfname"]),
        ("vrfname", json!(7), 6, &["vrfname"]),
        ("vrfname", json!("eth0"), 7, &["eth0", "no VRF", "veth"]),
        ("table", json!(-1), 7, &["table -1"]),
        ("table", json!(253), 7, &["table 253"]),
        ("table", json!(254), 7, &["table 254"]),
        ("table", json!(255), 7, &["table 255"]),
        ("table", json!(4_294_967_296_u64), 7, &["table 4294967296"]),
        ("table", json!("10"), 6, &["table"]),
        ("prevResult", json!({ "cniVersion": "0.4.0" }), 1, &["0.4.0"]),
    ];
    for (key, value, code, parts) in table {
        refused(&host, &pod, &conf.clone().set(key, value)).says(code, parts);
    }
    refused(&host, &pod, &conf.clone().remove("prevResult")).says(7, &["chained plugin", "prevResult"]);
    refused(&host, &pod, &conf.clone().remove("vrfname")).says(7, &["vrfname", "empty"]);
    let error = host.plugin("vrf").add(&conf, &pod, "eth7").error();
    error.says(100, &["eth7", "/run/netns/pod"]);
}

#[test]
fn a_table_that_is_taken() {
    let host = Host::new();
    let (pod, conf) = dual_stack(&host);
    pod.run("ip rule add from 10.9.9.9 lookup 30");
    pod.run("ip route add blackhole 10.66.0.0/16 table 31");
    refused(&host, &pod, &conf.clone().set("table", 30)).says(7, &["table 30", "taken", "10.9.9.9"]);
    refused(&host, &pod, &conf.set("table", 31)).says(7, &["table 31", "taken", "10.66.0.0/16"]);
}

#[test]
fn an_interface_with_a_master() {
    let host = Host::new();
    let (pod, conf) = dual_stack(&host);
    pod.run("ip link add br7 type bridge");
    pod.run("ip link set eth0 master br7");
    refused(&host, &pod, &conf).says(100, &["eth0", "has already a master", "br7"]);
}

#[test]
fn a_vrf_that_does_not_fit() {
    needs!(Vrf);
    let host = Host::new();
    let (pod, conf) = dual_stack(&host);
    pod.run("ip link add red type vrf table 10");
    refused(&host, &pod, &conf.clone().set("table", 11))
        .says(7, &["red", "different routing table", "10", "11"]);
    host.plugin("vrf").add(&conf, &pod, "eth0").result();
    refused(&host, &pod, &conf).says(100, &["eth0", "has already a master", "red"]);
}

/// In a table of its own, with a source that is an address of the VRF's now: the kernel does not find it there.
#[test]
fn a_route_that_the_kernel_does_not_take_again() {
    needs!(Vrf);
    let host = Host::new();
    let (pod, conf) = dual_stack(&host);
    pod.run("ip route add 10.77.0.0/16 dev eth0 src 10.1.0.2 table 88");
    refused(&host, &pod, &conf).says(100, &["10.77.0.0/16", "table 88", "EINVAL"]);
}
