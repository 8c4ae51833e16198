//! Members, addresses and tables before and after.

use cni_tests::{Conf, Container, Host, Place, needs};
use serde_json::Value;

use crate::vrf::{ADDRESSES, attached, conf_of, dual_stack, master, table, vrfs};

fn add(host: &Host, pod: &Container, ifname: &str, conf: &Conf) {
    let result = host.plugin("vrf").add(conf, pod, ifname).result();
    let given: Value = serde_json::from_str(&conf.text()).unwrap();
    assert_eq!(result, given["prevResult"], "passed through");
    host.plugin("vrf").check(conf, pod, ifname).done();
}

#[test]
fn addresses_and_routes_land_in_the_vrf() {
    needs!(Vrf);
    let host = Host::new();
    let (pod, conf) = dual_stack(&host);
    add(&host, &pod, "eth0", &conf);
    assert_eq!(vrfs(&pod), [("red".to_owned(), 1)]);
    assert_eq!(master(&pod, "eth0").as_deref(), Some("red"));
    assert_eq!(pod.addresses("eth0"), ADDRESSES);
    let ipv4 = [
        "default via 10.1.0.1 dev eth0",
        "10.1.0.0/24 dev eth0 proto kernel scope link src 10.1.0.2",
        "10.9.0.0/16 via 10.1.0.9 dev eth0 metric 7",
    ];
    assert_eq!(table(&pod, "-4", "1"), ipv4);
    let ipv6 = [
        "fd00:1::/64 dev eth0 proto kernel metric 256 pref medium",
        "default via fd00:1::1 dev eth0 metric 1024 pref medium",
    ];
    assert_eq!(table(&pod, "-6", "1"), ipv6);
    assert!(table(&pod, "-4", "main").is_empty() && table(&pod, "-6", "main").is_empty());
    let alias = pod.link("red")["ifalias"].as_str().unwrap().to_owned();
    assert!(alias.ends_with("net: net, if: eth0, id: pod"), "{alias}");
    let flags = pod.link("red")["flags"].to_string();
    assert!(flags.contains("\"UP\""), "{flags}");
    assert!(pod.ip("-6 address show dev eth0 tentative scope global").is_empty());
}

/// With and without the sysctl that makes IPv6 addresses outlive a "down"; and with detection of duplicates.
#[test]
fn ipv6_addresses_are_usable_at_once() {
    needs!(Vrf);
    for (keep, nodad) in [("0", "nodad"), ("1", "nodad"), ("1", ""), ("0", "")] {
        let host = Host::new();
        host.run("sysctl -w net.ipv6.conf.default.accept_dad=0");
        let pod = attached(&host, &[]);
        host.run("ip address add fd00:1::1/64 dev h-eth0 nodad");
        pod.run(&format!("sysctl -w net.ipv6.conf.eth0.keep_addr_on_down={keep}"));
        let more = "fd00:3::2/64 dev eth0 noprefixroute nodad";
        pod.run(&format!("ip address add fd00:1::2/64 dev eth0 {nodad}"));
        pod.run(&format!("ip address add {more}"));
        pod.run("ip address add fd00:4::2/64 dev eth0 nodad valid_lft 5000 preferred_lft 4000");
        pod.run("ip -6 route add 2001:db8::/32 via fd00:1::1");
        add(&host, &pod, "eth0", &conf_of("eth0", &["fd00:1::2/64"]));
        let mut there = pod.addresses("eth0");
        there.sort();
        assert_eq!(there, ["fd00:1::2/64", "fd00:3::2/64", "fd00:4::2/64"], "keep {keep}");
        assert!(pod.ip("-6 address show dev eth0 tentative scope global").is_empty(), "keep {keep} {nodad}");
        let routes = table(&pod, "-6", "1");
        assert!(routes.iter().any(|r| r.starts_with("2001:db8::/32 via fd00:1::1")), "{routes:?}");
        assert!(!routes.iter().any(|r| r.starts_with("fd00:3::/64")), "noprefixroute: {routes:?}");
        let lifetime = pod.run("ip -6 address show dev eth0 to fd00:4::2");
        assert!(lifetime.contains("valid_lft 4") || lifetime.contains("valid_lft 5000sec"), "{lifetime}");
        assert!(pod.pings("-I red fd00:1::1"), "keep {keep} {nodad}");
    }
}

#[test]
fn routes_on_the_link_and_those_that_share_the_load_come_along() {
    needs!(Vrf);
    let host = Host::new();
    let pod = attached(&host, &["10.1.0.2/32"]);
    pod.run("ip route add 169.254.1.1 dev eth0 scope link");
    pod.run("ip route add default via 169.254.1.1");
    pod.run("ip route add 10.9.0.0/16 nexthop via 169.254.1.1 nexthop via 10.7.0.1 dev eth0 onlink");
    pod.run("ip route add 10.8.0.0/16 via 169.254.1.1 table 77");
    add(&host, &pod, "eth0", &conf_of("eth0", &["10.1.0.2/32"]));
    let ipv4 = [
        "default via 169.254.1.1 dev eth0",
        "10.9.0.0/16",
        "nexthop via 169.254.1.1 dev eth0 weight 1",
        "nexthop via 10.7.0.1 dev eth0 weight 1 onlink",
        "169.254.1.1 dev eth0 scope link",
    ];
    assert_eq!(table(&pod, "-4", "1"), ipv4);
    assert_eq!(table(&pod, "-4", "77"), ["10.8.0.0/16 via 169.254.1.1 dev eth0"]);
}

#[test]
fn other_interfaces_stay_as_they_are() {
    needs!(Vrf);
    let host = Host::new();
    let (pod, _) = dual_stack(&host);
    host.pair(&pod, "h-net1", "net1", &["10.5.0.2/24", "fd00:5::2/64"]);
    pod.run("ip route add 10.6.0.0/16 via 10.5.0.1");
    let before = (table(&pod, "-4", "main"), table(&pod, "-6", "main"));
    add(&host, &pod, "net1", &conf_of("net1", &["10.5.0.2/24", "fd00:5::2/64"]));
    let after = (table(&pod, "-4", "main"), table(&pod, "-6", "main"));
    let stays = |lines: &[String]| -> Vec<String> {
        lines.iter().filter(|line| !line.contains("net1")).cloned().collect()
    };
    assert_eq!(after, (stays(&before.0), stays(&before.1)));
    assert_eq!(table(&pod, "-4", "1").len(), 2);
}

#[test]
fn a_free_table_is_picked() {
    needs!(Vrf);
    let host = Host::new();
    let (pod, conf) = dual_stack(&host);
    pod.run("ip link add blue type vrf table 1");
    pod.run("ip rule add fwmark 9 lookup 2");
    pod.run("ip route add blackhole 10.66.0.0/16 table 3");
    pod.feed(
        "ip -batch -",
        &(4..253).map(|t| format!("rule add fwmark {t} lookup {t}\n")).collect::<String>(),
    );
    add(&host, &pod, "eth0", &conf);
    assert_eq!(vrfs(&pod), [("blue".to_owned(), 1), ("red".to_owned(), 256)]);
}

#[test]
fn two_vrfs_have_the_same_addresses_or_share_a_table() {
    needs!(Vrf);
    let host = Host::new();
    let (pod, red) = dual_stack(&host);
    host.pair(&pod, "h-net1", "net1", &["10.1.0.2/24"]);
    let blue = conf_of("net1", &["10.1.0.2/24"]).set("vrfname", "blue");
    add(&host, &pod, "eth0", &red);
    add(&host, &pod, "net1", &blue);
    assert_eq!(vrfs(&pod), [("red".to_owned(), 1), ("blue".to_owned(), 2)]);
    assert_eq!(table(&pod, "-4", "2"), ["10.1.0.0/24 dev net1 proto kernel scope link src 10.1.0.2"]);
    host.pair(&pod, "h-net2", "net2", &["10.7.0.2/24"]);
    add(&host, &pod, "net2", &conf_of("net2", &["10.7.0.2/24"]).set("vrfname", "green").set("table", 2));
    assert_eq!(vrfs(&pod)[2], ("green".to_owned(), 2));
}

#[test]
fn a_vrf_that_is_there_is_joined() {
    needs!(Vrf);
    for table in [None, Some(42)] {
        let host = Host::new();
        let (pod, conf) = dual_stack(&host);
        pod.run("ip link add red up type vrf table 42");
        let conf = table.map_or_else(|| conf.clone(), |table| conf.clone().set("table", table));
        add(&host, &pod, "eth0", &conf);
        assert_eq!(vrfs(&pod), [("red".to_owned(), 42)]);
        assert_eq!(crate::vrf::table(&pod, "-4", "42").len(), 3);
    }
}

#[test]
fn an_interface_that_is_down() {
    needs!(Vrf);
    let host = Host::new();
    let (pod, conf) = dual_stack(&host);
    pod.run("ip link set eth0 down");
    let addresses = pod.addresses("eth0");
    host.plugin("vrf").add(&conf, &pod, "eth0").result();
    assert_eq!((master(&pod, "eth0").as_deref(), pod.addresses("eth0")), (Some("red"), addresses));
}
