//! The routing tables before and after.

use cni_tests::{Conf, Container, Host, Place};
use serde_json::{Value, json};

use crate::sbr::{attached, conf, conf_of, dual_stack, routes, rules};

fn add(host: &Host, pod: &Container, conf: &Conf) {
    let result = host.plugin("sbr").add(conf, pod, "eth0").result();
    let given: Value = serde_json::from_str(&conf.text()).unwrap();
    assert_eq!(result, given["prevResult"], "passed through");
    host.plugin("sbr").check(conf, pod, "eth0").done();
}

#[test]
fn ipv4() {
    let host = Host::new();
    let pod = attached(&host, &["10.1.0.2/24"]);
    pod.run("ip route add default via 10.1.0.1");
    pod.run("ip route add 10.9.0.0/16 via 10.1.0.9 metric 7 src 10.1.0.2");
    let before = [
        "main default via 10.1.0.1",
        "main 10.1.0.0/24 proto kernel src 10.1.0.2",
        "main 10.9.0.0/16 via 10.1.0.9 src 10.1.0.2 metric 7",
    ];
    assert_eq!(routes(&pod), before);
    add(&host, &pod, &conf(&[("10.1.0.2/24", "10.1.0.1")]));
    assert_eq!(routes(&pod), before.map(|line| line.replace("main", "100")));
    assert_eq!(rules(&pod), ["from 10.1.0.2 lookup 100"]);
}

#[test]
fn ipv6() {
    let host = Host::new();
    let pod = attached(&host, &["fd00:1::2/64"]);
    pod.run("ip -6 route add 2001:db8::/32 via fd00:1::9 metric 7");
    add(&host, &pod, &conf(&[("fd00:1::2/64", "fd00:1::1")]));
    let after = [
        "100 2001:db8::/32 via fd00:1::9 metric 7",
        "100 fd00:1::/64 proto kernel metric 256",
        "100 default via fd00:1::1",
    ];
    assert_eq!(routes(&pod), after);
    assert_eq!(rules(&pod), ["from fd00:1::2 lookup 100"]);
    let link_local = pod.run("ip -6 route show table 100");
    assert!(link_local.contains("fe80::/64"), "goes along: {link_local}");
}

#[test]
fn several_addresses_have_a_table_each() {
    let host = Host::new();
    let ips = [
        ("10.1.0.2/24", "10.1.0.1"),
        ("10.2.0.2/24", "10.2.0.1"),
        ("10.2.0.3/24", ""),
        ("fd00:1::2/64", "fd00:1::1"),
    ];
    let pod = attached(&host, &ips.map(|(address, _)| address));
    for route in [
        "-4 route add default via 10.1.0.1",
        "-4 route add 10.8.0.0/16 via 10.2.0.9",
        "-4 route add 10.9.0.0/16 dev eth0",
        "-6 route add default via fd00:1::1",
    ] {
        pod.run(&format!("ip {route}"));
    }
    add(&host, &pod, &conf(&ips));
    let after = [
        "100 default via 10.1.0.1",
        "100 10.1.0.0/24 proto kernel src 10.1.0.2",
        "100 10.9.0.0/16",
        "101 default via 10.2.0.1",
        "101 10.2.0.0/24 proto kernel src 10.2.0.2",
        "101 10.8.0.0/16 via 10.2.0.9",
        "101 10.9.0.0/16",
        "102 10.2.0.0/24 proto kernel src 10.2.0.2",
        "102 10.8.0.0/16 via 10.2.0.9",
        "102 10.9.0.0/16",
        "103 10.9.0.0/16",
        // Neither has a source or a gateway, so it goes to every table.
        "100 fd00:1::/64 proto kernel metric 256",
        "101 fd00:1::/64 proto kernel metric 256",
        "102 fd00:1::/64 proto kernel metric 256",
        "103 fd00:1::/64 proto kernel metric 256",
        "103 default via fd00:1::1",
    ];
    assert_eq!(routes(&pod), after);
    let newest_first = [
        "from 10.2.0.3 lookup 102",
        "from 10.2.0.2 lookup 101",
        "from 10.1.0.2 lookup 100",
        "from fd00:1::2 lookup 103",
    ];
    assert_eq!(rules(&pod), newest_first);
}

#[test]
fn routes_that_share_the_load_move_whole() {
    let host = Host::new();
    let (pod, conf) = dual_stack(&host);
    pod.run("ip route add 10.9.0.0/16 nexthop via 10.1.0.3 nexthop via 10.1.0.4 dev eth0 onlink");
    pod.run("ip route add 10.8.0.0/16 via 10.1.0.3");
    pod.run("ip route append 10.8.0.0/16 via 10.1.0.4 dev eth0 onlink");
    pod.run("ip -6 route add 2001:db8::/32 nexthop via fd00:1::3 nexthop via fd00:1::4");
    let before = routes(&pod);
    assert!(before.contains(&"main 10.9.0.0/16 via 10.1.0.3 via 10.1.0.4".to_owned()), "{before:?}");
    add(&host, &pod, &conf);
    let table = |family: &str, table: &str| -> Vec<String> {
        let all = pod.run(&format!("ip {family} route show table {table}"));
        all.lines().map(|line| line.trim().to_owned()).collect()
    };
    let moved = [
        "default via 10.1.0.1 dev eth0",
        "10.1.0.0/24 dev eth0 proto kernel scope link src 10.1.0.2",
        "10.8.0.0/16 via 10.1.0.3 dev eth0",
        "10.8.0.0/16 via 10.1.0.4 dev eth0 onlink",
        "10.9.0.0/16",
        "nexthop via 10.1.0.3 dev eth0 weight 1",
        "nexthop via 10.1.0.4 dev eth0 weight 1 onlink",
    ];
    assert_eq!(table("-4", "100"), moved, "in the same order");
    let ipv6 = table("-6", "101");
    assert!(ipv6.contains(&"nexthop via fd00:1::4 dev eth0 weight 1".to_owned()), "{ipv6:?}");
    assert!(table("-4", "main").is_empty() && table("-6", "main").is_empty());
}

#[test]
fn no_gateway_no_default_route() {
    let host = Host::new();
    let pod = attached(&host, &["10.1.0.2/24", "fd00:1::2/64"]);
    add(&host, &pod, &conf(&[("10.1.0.2/24", ""), ("fd00:1::2/64", "")]));
    let after = [
        "100 10.1.0.0/24 proto kernel src 10.1.0.2",
        "100 fd00:1::/64 proto kernel metric 256",
        "101 fd00:1::/64 proto kernel metric 256",
    ];
    assert_eq!(routes(&pod), after);
}

/// As calico has it: the gateway is in no network of the container's.
#[test]
fn a_host_address_with_a_gateway_elsewhere() {
    let host = Host::new();
    let pod = attached(&host, &["10.1.0.2/32"]);
    pod.run("ip route add 169.254.1.1 dev eth0 scope link");
    pod.run("ip route add default via 169.254.1.1");
    pod.run("ip route add 10.9.0.0/16 via 10.3.0.1 dev eth0 onlink");
    add(&host, &pod, &conf(&[("10.1.0.2/32", "169.254.1.1")]));
    let after = ["100 default via 169.254.1.1", "100 10.9.0.0/16 via 10.3.0.1", "100 169.254.1.1"];
    assert_eq!(routes(&pod), after, "what belongs to no address is not lost");
}

#[test]
fn other_interfaces_stay_as_they_are() {
    let host = Host::new();
    let (pod, _) = dual_stack(&host);
    host.pair(&pod, "h-net1", "net1", &["10.5.0.2/24", "fd00:5::2/64"]);
    pod.run("ip route add 10.9.0.0/16 via 10.5.0.1");
    pod.run("ip route add 10.8.0.0/16 nexthop via 10.5.0.1 nexthop via 10.1.0.1");
    let before = routes(&pod);
    let conf = conf_of("net1", &[("10.5.0.2/24", "10.5.0.1"), ("fd00:5::2/64", "")]);
    host.plugin("sbr").add(&conf, &pod, "net1").result();
    let main: Vec<_> = routes(&pod).into_iter().filter(|line| line.starts_with("main")).collect();
    let moved =
        |line: &&String| line.contains("10.5.0.0/24") || line.contains("10.9.") || line.contains("fd00:5");
    let stays: Vec<_> = before.iter().filter(|line| !moved(line)).cloned().collect();
    assert_eq!(main, stays);
    assert_eq!(rules(&pod), ["from 10.5.0.2 lookup 100", "from fd00:5::2 lookup 101"]);
}

#[test]
fn tables_in_use_are_not_picked() {
    let host = Host::new();
    let (pod, conf) = dual_stack(&host);
    pod.run("ip route add blackhole 10.66.0.0/16 table 100");
    pod.run("ip -6 rule add fwmark 7 lookup 101");
    pod.run("ip link set lo up");
    pod.run("ip route add 10.77.0.0/16 dev lo table 103");
    add(&host, &pod, &conf);
    let ours: Vec<_> = rules(&pod);
    assert_eq!(ours, ["from 10.1.0.2 lookup 102", "from fd00:1::2 lookup 104"]);
}

#[test]
fn reserved_tables_are_skipped() {
    let host = Host::new();
    let (pod, conf) = dual_stack(&host);
    let rule = |table: u32| format!("rule add fwmark {table} lookup {table}\n");
    pod.feed("ip -batch -", &(100..253).map(rule).collect::<String>());
    add(&host, &pod, &conf);
    assert!(routes(&pod).contains(&"256 default via 10.1.0.1".to_owned()));
    assert!(routes(&pod).contains(&"257 default via fd00:1::1".to_owned()));
}

#[test]
fn the_table_of_somebody_else_gets_only_rules() {
    let host = Host::new();
    let (pod, conf) = dual_stack(&host);
    pod.run("ip route add default via 10.1.0.9 table 4242");
    let before = routes(&pod);
    let conf = conf.set("table", 4242).set("gateways", json!(["10.1.0.7"]));
    add(&host, &pod, &conf);
    assert_eq!(routes(&pod), before);
    assert_eq!(rules(&pod), ["from 10.1.0.2 lookup 4242", "from fd00:1::2 lookup 4242"]);
    pod.run("ip rule add from 10.9.9.9 lookup 4242");
    host.plugin("sbr").del(&conf, &pod, "eth0").done();
    assert_eq!(routes(&pod), before);
}
