//! What the READMEs announce under "Differs from the reference" and no other test sees: ours and Debian's build side by
//! side.

use cni_tests::{Conf, Host, Place, Suite, needs, published};
use serde_json::{Value, json};

/// What `look` sees on a fresh host with either suite's executables: ours, theirs.
fn both(look: impl Fn(&Host, Suite) -> Value + Sync) -> [Value; 2] {
    [Suite::Ours, Suite::Reference].map(|suite| Host::fresh(|host| look(host, suite)))
}

fn host_end(host: &Host) -> Value {
    host.ip("link show type veth").remove(0)
}

#[test]
fn a_new_bridge_and_ptps_host_end_use_ipv6_addresses_at_once() {
    needs!(Reference);
    let [ours, theirs] = both(|host, suite| {
        host.call(suite, "bridge").add(&Conf::dual_stack_bridge(), &host.container("b"), "eth0").result();
        let of_bridge = host_end(host)["ifname"].clone();
        let bridge = host.ip("link show type bridge")[0]["ifname"].clone();
        host.call(suite, "ptp").add(&Conf::ptp(), &host.container("p"), "eth0").result();
        let links = host.ip("link show type veth");
        let of_ptp = links.iter().map(|link| &link["ifname"]).find(|name| **name != of_bridge).unwrap();
        let accept_dad =
            |name: &Value| host.sysctl(&format!("ipv6/conf/{}/accept_dad", name.as_str().unwrap()));
        json!([&bridge, &of_bridge, of_ptp].map(accept_dad))
    });
    assert_eq!((ours, theirs), (json!(["0", "1", "0"]), json!(["1", "1", "1"])));
}

#[test]
fn a_bridge_without_a_gateway_keeps_its_address_whatever_its_ports_have() {
    needs!(Reference);
    let [ours, theirs] = both(|host, suite| {
        let conf = Conf::layer2_bridge();
        host.call(suite, "bridge").add(&conf, &host.container("pod"), "eth0").result();
        let bridge = host.ip("link show type bridge").remove(0);
        let name = bridge["ifname"].as_str().unwrap();
        host.run("ip link add low address 02:00:00:00:00:01 type veth peer name other");
        host.run(&format!("ip link set low master {name}"));
        json!(host.link(name)["address"] == bridge["address"])
    });
    assert_eq!((ours, theirs), (json!(true), json!(false)));
}

#[test]
fn host_ends_keep_the_kernels_queue_length() {
    needs!(Reference);
    for (plugin, conf) in [("bridge", Conf::bridge()), ("ptp", Conf::ptp())] {
        let [ours, theirs] = both(|host, suite| {
            host.call(suite, plugin).add(&conf, &host.container("pod"), "eth0").result();
            host_end(host)["txqlen"].clone()
        });
        assert_eq!((ours, theirs.as_u64().unwrap_or(0)), (json!(1000), 0), "{plugin}");
    }
}

#[test]
fn a_loopback_whose_result_could_not_be_told_is_down_again() {
    needs!(Reference);
    let [ours, theirs] = both(|host, suite| {
        let pod = host.container("pod");
        let full = ["sh", "-c", "exec \"$@\" > /dev/full", "sh"];
        host.call(suite, "loopback").under(&full).add(&Conf::loopback(), &pod, "lo");
        json!(pod.link("lo")["flags"].as_array().unwrap().contains(&json!("UP")))
    });
    assert_eq!((ours, theirs), (json!(false), json!(true)));
}

/// No difference with iptables.
#[test]
fn a_repeated_mapping_counts_once() {
    needs!(Reference, Iptables);
    let [ours, theirs] = both(|host, suite| {
        let pod = host.container("pod");
        let result =
            host.call(suite, "bridge").add(&Conf::bridge().set("isGateway", true), &pod, "eth0").result();
        let mapping = published::mapping(8080, 80, "tcp");
        let conf = json!({ "cniVersion": "1.0.0", "name": "net", "type": "portmap", "backend": "iptables",
            "capabilities": { "portMappings": true }, "runtimeConfig": { "portMappings": [mapping, mapping] } });
        host.call(suite, "portmap").add(&Conf::new(conf).prev(&result), &pod, "eth0").result();
        let rules = host.run("iptables-save -t nat");
        json!(rules.lines().filter(|rule| rule.contains("-j DNAT")).count())
    });
    assert_eq!((ours, theirs), (json!(1), json!(1)));
}
