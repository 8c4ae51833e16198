//! Plugin `bridge` with addresses: results, addresses, routes, sysctls, MTU, MAC, DNS.

use cni_tests::{Conf, Host, Place, in_every_version};
use serde_json::{Value, json};

in_every_version!(result as result_shape, chain_of_verbs as add_check_del);

/// The result's exact form, with the parts only the kernel knows taken from the kernel.
fn result(version: &str) {
    let host = Host::new();
    let pod = host.container("pod");
    let conf = Conf::dual_stack_bridge().set("isGateway", true).version(version);
    let result = host.plugin("bridge").add(&conf, &pod, "eth0").result();
    let (v4, v6) = (json!("10.22.0.2/24"), json!("fd00:22::2/64"));
    let expected = if ["0.1.0", "0.2.0"].contains(&version) {
        json!({
            "cniVersion": version, "dns": {},
            "ip4": { "ip": v4, "gateway": "10.22.0.1" }, "ip6": { "ip": v6, "gateway": "fd00:22::1" },
        })
    } else {
        let (host_end, mtu) = (&result["interfaces"][1]["name"], version == "1.1.0" || version == "1.0.0");
        let mac = |link: Value| link["address"].clone();
        let mut expected = json!({
            "cniVersion": version,
            "interfaces": [
                { "name": "br0", "mac": mac(host.link("br0")) },
                { "name": host_end, "mac": mac(host.link(host_end.as_str().unwrap())) },
                { "name": "eth0", "mac": mac(pod.link("eth0")), "sandbox": "/run/netns/pod" },
            ],
            "ips": [
                { "interface": 2, "address": v4, "gateway": "10.22.0.1" },
                { "interface": 2, "address": v6, "gateway": "fd00:22::1" },
            ],
        });
        if mtu {
            (0..3).for_each(|i| expected["interfaces"][i]["mtu"] = json!(1500));
        } else {
            expected["dns"] = json!({});
            expected["ips"][0]["version"] = json!("4");
            expected["ips"][1]["version"] = json!("6");
        }
        expected
    };
    assert_eq!(result, expected);
}

/// ADD, CHECK where the version has it, DEL: the kernel's state is the same in every version.
fn chain_of_verbs(version: &str) {
    let host = Host::new();
    let conf = Conf::dual_stack_bridge().set("isDefaultGateway", true).set("ipMasq", true).version(version);
    let before = host.after_one_container("bridge", &conf);
    let pod = host.container("pod");
    let result = host.plugin("bridge").add(&conf, &pod, "eth0").result();
    assert_eq!(pod.addresses("eth0").len(), 2);
    assert!(pod.pings("10.22.0.1"));
    let with_result = conf.prev(&result);
    let check = host.plugin("bridge").check(&with_result, &pod, "eth0");
    if ["0.1.0", "0.2.0", "0.3.0", "0.3.1"].contains(&version) {
        check.error().says(1, &["CHECK"]);
    } else {
        check.done();
    }
    host.plugin("bridge").del(&with_result, &pod, "eth0").done();
    host.snapshot().assert_same_as(&before, "DEL");
}

#[test]
fn two_containers_reach_each_other_and_the_gateway_with_their_first_packet() {
    let host = Host::new();
    let conf = Conf::dual_stack_bridge().set("isGateway", true);
    let (one, two) = (host.container("one"), host.container("two"));
    host.plugin("bridge").add(&conf, &one, "eth0").result();
    host.plugin("bridge").add(&conf, &two, "eth0").result();
    for target in ["10.22.0.1", "fd00:22::1", "10.22.0.3", "fd00:22::3"] {
        assert!(one.pings(target), "{target}");
    }
}

#[test]
fn everything_is_up_on_return() {
    let host = Host::new();
    let pod = host.container("pod");
    let result = host.plugin("bridge").add(&Conf::bridge(), &pod, "eth0").result();
    let port = result["interfaces"][1]["name"].as_str().unwrap();
    assert_eq!(pod.link("eth0")["operstate"], "UP");
    assert_eq!(host.link(port)["operstate"], "UP");
    assert_eq!(host.link(port)["master"], "br0");
    assert_eq!(host.link(port)["linkinfo"]["info_slave_data"]["state"], "forwarding");
}

#[test]
fn the_default_bridge_is_cni0() {
    let host = Host::new();
    let pod = host.container("pod");
    host.plugin("bridge").add(&Conf::bridge().remove("bridge"), &pod, "eth0").result();
    assert_eq!(host.link("cni0")["linkinfo"]["info_kind"], "bridge");
}

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
fn two_gateways_to_one_destination_are_both_kept() {
    let host = Host::new();
    let pod = host.container("pod");
    let routes = json!([{ "dst": "192.0.2.0/24", "gw": "10.22.0.5" },
        { "dst": "192.0.2.0/24", "gw": "10.22.0.6", "priority": 5 }]);
    host.plugin("bridge").add(&Conf::bridge().ipam("routes", routes), &pod, "eth0").result();
    assert_eq!(pod.routes("-4", "192.0.2.0/24").len(), 2);
}

#[test]
fn mtu_applies_to_bridge_and_both_ends() {
    let host = Host::new();
    let pod = host.container("pod");
    let conf = Conf::bridge().set("mtu", 1400).version("1.1.0");
    let result = host.plugin("bridge").add(&conf, &pod, "eth0").result();
    let port = result["interfaces"][1]["name"].as_str().unwrap();
    for link in [host.link("br0"), host.link(port), pod.link("eth0")] {
        assert_eq!(link["mtu"], 1400);
    }
    assert_eq!(result["interfaces"][2]["mtu"], 1400);
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
fn ipv6_addresses_survive_link_down() {
    let host = Host::new();
    let pod = host.container("pod");
    host.plugin("bridge").add(&Conf::dual_stack_bridge(), &pod, "eth0").result();
    pod.run("ip link set eth0 down");
    assert_eq!(pod.addresses("eth0"), ["10.22.0.2/24", "fd00:22::2/64"]);
}

#[test]
fn the_mac_comes_from_runtime_config_then_args_then_cni_args() {
    let host = Host::new();
    let macs = ["0a:00:00:00:00:01", "0a:00:00:00:00:02", "0a:00:00:00:00:03"];
    let by_env = format!("IgnoreUnknown=1;K8S_POD_NAME=x;MAC={}", macs[0]);
    let args = Conf::bridge().set("args", json!({ "cni": { "mac": macs[1] } }));
    let runtime = args.clone().set("runtimeConfig", json!({ "mac": macs[2] }));
    for (id, conf, mac) in
        [("env", Conf::bridge(), macs[0]), ("args", args, macs[1]), ("run", runtime, macs[2])]
    {
        let pod = host.container(id);
        let result = host.plugin("bridge").env("CNI_ARGS", &by_env).add(&conf, &pod, "eth0").result();
        assert_eq!(pod.link("eth0")["address"], mac);
        assert_eq!(result["interfaces"][2]["mac"], mac);
    }
}

#[test]
fn dns_is_ipams_unless_the_configuration_has_any() {
    let host = Host::new();
    let file = "/run/resolv.conf";
    std::fs::write(
        file,
        "nameserver 192.0.2.53\nsearch a.example\n search b.example\n# no\noptions ndots:2\n",
    )
    .unwrap();
    let conf = Conf::bridge().ipam("resolvConf", file);
    let pod = host.container("ipam");
    let result = host.plugin("bridge").add(&conf, &pod, "eth0").result();
    let from_file = json!({ "nameservers": ["192.0.2.53"], "search": ["a.example", "b.example"], "options": ["ndots:2"] });
    assert_eq!(result["dns"], from_file);
    let pod = host.container("conf");
    let conf = conf.set("dns", json!({ "domain": "c.example" }));
    let result = host.plugin("bridge").add(&conf, &pod, "eth0").result();
    assert_eq!(result["dns"], json!({ "domain": "c.example" }));
    let pod = host.container("empty");
    let conf = conf.set("dns", json!({ "nameservers": [] }));
    let result = host.plugin("bridge").add(&conf, &pod, "eth0").result();
    assert!(result.get("dns").is_none_or(|dns| *dns == json!({})), "{result}");
}

#[test]
fn keys_are_read_as_go_reads_them() {
    let host = Host::new();
    let pod = host.container("pod");
    let text = r#"{"CNIVersion":"1.0.0","name":"net","type":"bridge","BRIDGE":"br1","bridge":null,"ISGATEWAY":true,
        "mtu":null,"unknown":[1],"Ipam":{"TYPE":"host-local","Subnet":"10.22.0.0/24"},"mtu":1300}"#;
    let call = host.plugin("bridge").env("CNI_CONTAINERID", "pod").env("CNI_NETNS", pod.netns());
    call.env("CNI_IFNAME", "eth0").run("ADD", text.as_bytes()).result();
    assert_eq!(host.link("br1")["mtu"], 1300);
    assert_eq!(host.addresses("br1"), ["10.22.0.1/24"]);
}

#[test]
fn one_container_may_have_several_interfaces() {
    let host = Host::new();
    let pod = host.container("pod");
    let second = Conf::bridge().set("name", "other").set("bridge", "br1").ranges(&["10.23.0.0/24"]);
    host.plugin("bridge").add(&Conf::bridge(), &pod, "eth0").result();
    host.plugin("bridge").add(&Conf::bridge(), &pod, "eth1").result();
    host.plugin("bridge").add(&second, &pod, "net1").result();
    host.plugin("bridge").del(&Conf::bridge(), &pod, "eth0").done();
    assert_eq!(pod.addresses("eth1"), ["10.22.0.3/24"]);
    assert_eq!(pod.addresses("net1"), ["10.23.0.2/24"]);
    assert!(pod.find_link("eth0").is_none());
}

#[test]
fn an_existing_bridge_is_used_as_it_is() {
    let host = Host::new();
    let pod = host.container("pod");
    host.run("ip link add name br0 mtu 1450 type bridge");
    let index = host.link("br0")["ifindex"].clone();
    host.plugin("bridge").add(&Conf::bridge().set("mtu", 1400), &pod, "eth0").result();
    assert_eq!(host.link("br0")["ifindex"], index);
    assert_eq!(host.link("br0")["linkinfo"]["info_data"]["vlan_filtering"], 0);
    assert_eq!(pod.link("eth0")["mtu"], 1400);
}
