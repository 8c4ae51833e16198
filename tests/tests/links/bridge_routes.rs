//! Plugin `bridge`: gateways, routes and the sysctls that go with them.

use cni_tests::{Conf, Host, Place};
use serde_json::json;

#[test]
fn without_is_gateway_the_bridge_has_no_address() {
    let host = Host::new();
    let pod = host.container("pod");
    host.plugin("bridge").add(&Conf::bridge(), &pod, "eth0").result();
    assert!(host.addresses("br0").is_empty());
    assert_eq!(host.sysctl("ipv4/ip_forward"), "0");
    assert!(pod.routes("-4", "default").is_empty());
}

#[test]
fn is_gateway_gives_the_bridge_the_gateway_address_and_forwards() {
    let host = Host::new();
    let pod = host.container("pod");
    host.plugin("bridge").add(&Conf::dual_stack_bridge().set("isGateway", true), &pod, "eth0").result();
    assert_eq!(host.addresses("br0"), ["10.22.0.1/24", "fd00:22::1/64"]);
    assert_eq!(host.sysctl("ipv4/ip_forward"), "1");
    assert_eq!(host.sysctl("ipv6/conf/all/forwarding"), "1");
    assert!(pod.routes("-4", "default").is_empty(), "only isDefaultGateway makes it the default");
}

#[test]
fn is_default_gateway_makes_a_default_route_per_family() {
    let host = Host::new();
    let pod = host.container("pod");
    let conf = Conf::dual_stack_bridge().set("isDefaultGateway", true);
    let result = host.plugin("bridge").add(&conf, &pod, "eth0").result();
    for (family, gateway) in [("-4", "10.22.0.1"), ("-6", "fd00:22::1")] {
        let routes = pod.routes(family, "default");
        assert_eq!(routes.len(), 1);
        assert_eq!(routes[0]["gateway"], gateway);
        assert!(routes[0].get("prefsrc").is_none());
    }
    let routes = json!([
        { "dst": "0.0.0.0/0", "gw": "10.22.0.1" }, { "dst": "::/0", "gw": "fd00:22::1" },
    ]);
    assert_eq!(result["routes"], routes);
}

#[test]
fn a_default_route_from_ipam_wins() {
    let host = Host::new();
    let pod = host.container("pod");
    let conf = Conf::bridge().set("isDefaultGateway", true);
    let conf = conf.ipam("routes", json!([{ "dst": "0.0.0.0/0", "gw": "10.22.0.99" }]));
    host.plugin("bridge").add(&conf, &pod, "eth0").result();
    let routes = pod.routes("-4", "default");
    assert_eq!((routes.len(), &routes[0]["gateway"]), (1, &json!("10.22.0.99")));
}

#[test]
fn routes_have_gateway_metric_table_and_scope() {
    let host = Host::new();
    let pod = host.container("pod");
    let conf = Conf::dual_stack_bridge().set("isGateway", true).ipam(
        "routes",
        json!([
            { "dst": "192.0.2.0/24" },
            { "dst": "198.51.100.0/24", "gw": "10.22.0.7", "priority": 77 },
            { "dst": "203.0.113.0/24", "table": 1234 },
            { "dst": "2001:db8::/32" },
        ]),
    );
    host.plugin("bridge").add(&conf, &pod, "eth0").result();
    assert_eq!(pod.routes("-4", "192.0.2.0/24")[0]["gateway"], "10.22.0.1");
    let with_metric = &pod.routes("-4", "198.51.100.0/24")[0];
    assert_eq!((&with_metric["gateway"], &with_metric["metric"]), (&json!("10.22.0.7"), &json!(77)));
    assert!(pod.routes("-4", "203.0.113.0/24").is_empty());
    assert_eq!(pod.ip("-4 route show table 1234")[0]["gateway"], "10.22.0.1");
    assert_eq!(pod.routes("-6", "2001:db8::/32")[0]["gateway"], "fd00:22::1");
}

#[test]
fn a_route_of_scope_link_has_no_gateway() {
    let host = Host::new();
    let pod = host.container("pod");
    let routes = json!([{ "dst": "100.64.0.0/10", "scope": 253 }]);
    let addresses = json!([{ "address": "10.22.0.9/24" }]);
    let conf =
        Conf::bridge().set("ipam", json!({ "type": "static", "addresses": addresses, "routes": routes }));
    host.plugin("bridge").add(&conf, &pod, "eth0").result();
    let route = &pod.routes("-4", "100.64.0.0/10")[0];
    assert_eq!((&route["scope"], route.get("gateway")), (&json!("link"), None));
}

#[test]
fn a_route_of_scope_link_does_not_take_the_gateway_of_the_address() {
    for (plugin, conf) in [("bridge", Conf::dual_stack_bridge().set("isGateway", true)), ("ptp", Conf::ptp())]
    {
        let host = Host::new();
        let pod = host.container("pod");
        let routes = json!([{ "dst": "100.64.0.0/10", "scope": 253 }, { "dst": "2001:db8::/32", "scope": 253 },
            { "dst": "192.0.2.0/24", "scope": 0 }]);
        let conf = conf.version("1.1.0").ipam("routes", routes);
        let result = host.plugin(plugin).add(&conf, &pod, "eth0").result();
        let on_link = &pod.routes("-4", "100.64.0.0/10")[0];
        assert_eq!((&on_link["scope"], on_link.get("gateway")), (&json!("link"), None), "{plugin}");
        assert_eq!(pod.routes("-6", "2001:db8::/32")[0].get("gateway"), None, "{plugin}");
        assert!(pod.routes("-4", "192.0.2.0/24")[0]["gateway"].is_string(), "{plugin}");
        host.plugin(plugin).check(&conf.prev(&result), &pod, "eth0").done();
    }
}

#[test]
fn each_attribute_of_a_route_is_honoured_and_checked() {
    for (plugin, conf) in [("bridge", Conf::dual_stack_bridge().set("isGateway", true)), ("ptp", Conf::ptp())]
    {
        let host = Host::new();
        let pod = host.container("pod");
        let attributes = [("table", 77), ("mtu", 1300), ("advmss", 1200), ("priority", 50)];
        let route = |dst: &str| {
            let mut route = json!({ "dst": dst });
            attributes.iter().for_each(|(key, value)| route[key] = json!(value));
            route
        };
        let routes = json!([route("192.0.2.0/24"), route("2001:db8::/32")]);
        let conf = conf.version("1.1.0").ipam("routes", routes);
        let result = host.plugin(plugin).add(&conf, &pod, "eth0").result();
        let check = || host.plugin(plugin).check(&conf.clone().prev(&result), &pod, "eth0");
        check().done();
        for (family, dst) in [("-4", "192.0.2.0/24"), ("-6", "2001:db8::/32")] {
            let route = pod.ip(&format!("{family} route show table 77 {dst}")).remove(0);
            assert_eq!((&route["dst"], &route["metric"]), (&json!(dst), &json!(50)), "{route}");
            let metrics = &route["metrics"][0];
            assert_eq!((&metrics["mtu"], &metrics["advmss"]), (&json!(1300), &json!(1200)), "{route}");
            let gateway = route["gateway"].as_str().unwrap();
            let whole = format!("{dst} via {gateway} dev eth0");
            pod.run(&format!("ip {family} route del {dst} table 77"));
            for other in [
                "table 78 metric 50 mtu 1300 advmss 1200",
                "table 77 metric 51 mtu 1300 advmss 1200",
                "table 77 metric 50 mtu 1301 advmss 1200",
                "table 77 metric 50 advmss 1200",
                "table 77 metric 50 mtu 1300 advmss 1201",
            ] {
                pod.run(&format!("ip {family} route add {whole} {other}"));
                check().error().says(103, &[dst]);
                pod.run(&format!("ip {family} route del {whole} {other}"));
            }
            pod.run(&format!("ip {family} route add {whole} table 77 metric 50 mtu 1300 advmss 1200"));
            check().done();
        }
    }
}

#[test]
fn two_gateways_to_one_destination_are_both_kept() {
    let host = Host::new();
    let pod = host.container("pod");
    let routes = json!([{ "dst": "192.0.2.0/24", "gw": "10.22.0.5" },
        { "dst": "192.0.2.0/24", "gw": "10.22.0.6", "priority": 5 }]);
    host.plugin("bridge").add(&Conf::bridge().ipam("routes", routes), &pod, "eth0").result();
    assert_eq!(pod.routes("-4", "192.0.2.0/24").len(), 2);
}

#[test]
fn sysctls_are_the_references() {
    let host = Host::new();
    let pod = host.container("pod");
    let result = host.plugin("bridge").add(&Conf::dual_stack_bridge(), &pod, "eth0").result();
    let port = result["interfaces"][1]["name"].as_str().unwrap();
    assert_eq!(host.sysctl("ipv6/conf/br0/accept_ra"), "0");
    assert_eq!(host.sysctl(&format!("ipv6/conf/{port}/accept_ra")), "0");
    assert_eq!(pod.sysctl("ipv4/conf/eth0/arp_notify"), "1");
    assert_eq!(pod.sysctl("ipv6/conf/eth0/accept_dad"), "0");
    assert_eq!(pod.sysctl("ipv6/conf/eth0/keep_addr_on_down"), "1");
}

#[test]
fn enabledad_lets_the_kernel_look_for_duplicates() {
    let host = Host::new();
    let pod = host.container("pod");
    let conf = Conf::dual_stack_bridge().set("enabledad", true).set("isGateway", true);
    host.plugin("bridge").add(&conf, &pod, "eth0").result();
    assert_eq!(pod.sysctl("ipv6/conf/eth0/accept_dad"), "1");
    assert_eq!(pod.sysctl("ipv6/conf/eth0/enhanced_dad"), "1");
    let addresses = pod.ip("-6 address show dev eth0 tentative");
    assert!(
        !format!("{addresses:?}").contains("fd00:22::2"),
        "ADD waited until it is settled: {addresses:?}"
    );
}

#[test]
fn ipv6_is_enabled_where_a_default_disabled_it() {
    let host = Host::new();
    let pod = host.container("pod");
    pod.feed("tee /proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
    pod.feed("tee /proc/sys/net/ipv6/conf/lo/disable_ipv6", "1");
    let conf = Conf::dual_stack_bridge().set("isGateway", true);
    host.plugin("bridge").add(&conf, &pod, "eth0").result();
    assert_eq!(pod.sysctl("ipv6/conf/eth0/disable_ipv6"), "0");
    assert!(pod.pings("fd00:22::1"));
}

#[test]
fn ipv6_is_enabled_on_the_link_of_an_ipv6_gateway_where_the_host_disabled_it() {
    for (plugin, conf, gateway) in [
        ("bridge", Conf::dual_stack_bridge().set("isDefaultGateway", true), "fd00:22::1"),
        ("ptp", Conf::ptp(), "fd00:33::1"),
    ] {
        let host = Host::new();
        let pod = host.container("pod");
        host.feed("tee /proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
        host.feed("tee /proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
        let result = host.plugin(plugin).add(&conf, &pod, "eth0").result();
        let link = result["interfaces"][0]["name"].as_str().unwrap();
        assert_eq!(host.sysctl(&format!("ipv6/conf/{link}/disable_ipv6")), "0");
        assert_eq!(host.sysctl("ipv6/conf/all/disable_ipv6"), "1", "no other link is touched");
        assert!(pod.pings(gateway), "{plugin}");
    }
}

#[test]
fn ipv6_addresses_survive_link_down() {
    let host = Host::new();
    let pod = host.container("pod");
    host.plugin("bridge").add(&Conf::dual_stack_bridge(), &pod, "eth0").result();
    pod.run("ip link set eth0 down");
    assert_eq!(pod.addresses("eth0"), ["10.22.0.2/24", "fd00:22::2/64"]);
}
