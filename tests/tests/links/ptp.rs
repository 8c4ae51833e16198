//! Plugin `ptp`: a veth pair and routes per container.

use cni_tests::{Conf, Host, IpamScript, Place, in_every_version};
use serde_json::{Value, json};

in_every_version!(result as result_shape, chain_of_verbs as add_check_del);

fn result(version: &str) {
    let host = Host::new();
    let pod = host.container("pod");
    let result = host.plugin("ptp").add(&Conf::ptp().version(version), &pod, "eth0").result();
    let (v4, v6) = (json!("10.33.0.2/24"), json!("fd00:33::2/64"));
    if ["0.1.0", "0.2.0"].contains(&version) {
        let expected = json!({
            "cniVersion": version, "dns": {},
            "ip4": { "ip": v4, "gateway": "10.33.0.1" }, "ip6": { "ip": v6, "gateway": "fd00:33::1" },
        });
        assert_eq!(result, expected);
        return;
    }
    let host_end = &result["interfaces"][0]["name"];
    assert!(host_end.as_str().unwrap().starts_with("veth"));
    let mac = |link: Value| link["address"].clone();
    let mut expected = json!({
        "cniVersion": version,
        "interfaces": [
            { "name": host_end, "mac": mac(host.link(host_end.as_str().unwrap())) },
            { "name": "eth0", "mac": mac(pod.link("eth0")), "sandbox": "/run/netns/pod" },
        ],
        "ips": [
            { "interface": 1, "address": v4, "gateway": "10.33.0.1" },
            { "interface": 1, "address": v6, "gateway": "fd00:33::1" },
        ],
    });
    if version == "1.1.0" {
        (0..2).for_each(|i| expected["interfaces"][i]["mtu"] = json!(1500));
    } else if version != "1.0.0" {
        expected["dns"] = json!({});
        expected["ips"][0]["version"] = json!("4");
        expected["ips"][1]["version"] = json!("6");
    }
    assert_eq!(result, expected);
}

fn chain_of_verbs(version: &str) {
    let host = Host::new();
    let conf = Conf::ptp().set("ipMasq", true).version(version);
    let before = host.after_one_container("ptp", &conf);
    let pod = host.container("pod");
    let result = host.plugin("ptp").add(&conf, &pod, "eth0").result();
    let with_result = conf.prev(&result);
    let check = host.plugin("ptp").check(&with_result, &pod, "eth0");
    if ["0.1.0", "0.2.0", "0.3.0", "0.3.1"].contains(&version) {
        check.error().says(1, &["CHECK"]);
    } else {
        check.done();
    }
    host.plugin("ptp").del(&with_result, &pod, "eth0").done();
    host.snapshot().assert_same_as(&before, "DEL");
}

#[test]
fn the_container_reaches_its_gateway_with_its_first_packet() {
    let host = Host::new();
    let pod = host.container("pod");
    host.plugin("ptp").add(&Conf::ptp(), &pod, "eth0").result();
    assert!(pod.pings("10.33.0.1"));
    assert!(pod.pings("fd00:33::1"));
}

#[test]
fn two_containers_reach_each_other_through_the_host() {
    let host = Host::new();
    let pods = ["one", "two"].map(|id| host.container(id));
    for pod in &pods {
        host.plugin("ptp").add(&Conf::ptp(), pod, "eth0").result();
    }
    assert!(pods[0].pings("10.33.0.3"));
    assert!(pods[1].pings("fd00:33::2"));
    assert!(pods[0].run("ping -n -c 1 -W 2 10.33.0.3").contains("ttl=63"), "one hop, the host, in between");
}

#[test]
fn routes_on_both_sides_are_the_references() {
    let host = Host::new();
    let pod = host.container("pod");
    let result = host.plugin("ptp").add(&Conf::ptp(), &pod, "eth0").result();
    let port = result["interfaces"][0]["name"].as_str().unwrap();
    assert_eq!(host.addresses(port), ["10.33.0.1/32", "fd00:33::1/128"]);
    let to_pod = &host.routes("-4", "10.33.0.2")[0];
    assert_eq!((&to_pod["dev"], &to_pod["scope"]), (&json!(port), &json!("host")));
    assert_eq!(host.routes("-6", "fd00:33::2")[0]["dev"], port);
    let to_gateway = &pod.routes("-4", "10.33.0.1")[0];
    assert_eq!((&to_gateway["scope"], &to_gateway["prefsrc"]), (&json!("link"), &json!("10.33.0.2")));
    let to_subnet = pod.routes("-4", "10.33.0.0/24");
    assert_eq!(to_subnet.len(), 1, "the kernel's connected route is gone");
    assert_eq!(
        (&to_subnet[0]["gateway"], &to_subnet[0]["prefsrc"]),
        (&json!("10.33.0.1"), &json!("10.33.0.2"))
    );
    assert_eq!(pod.routes("-6", "fd00:33::/64")[0]["gateway"], "fd00:33::1");
    assert_eq!(host.sysctl("ipv4/ip_forward"), "1");
    assert_eq!(host.sysctl("ipv6/conf/all/forwarding"), "1");
}

#[test]
fn mtu_and_a_66_subnet() {
    let host = Host::new();
    let pod = host.container("pod");
    let conf = Conf::ptp().ranges(&["2001:db8:1:2::/66"]).set("mtu", 5000).version("1.1.0");
    let result = host.plugin("ptp").add(&conf, &pod, "eth0").result();
    assert_eq!(pod.link("eth0")["mtu"], 5000);
    assert_eq!(host.link(result["interfaces"][0]["name"].as_str().unwrap())["mtu"], 5000);
    assert_eq!(result["interfaces"][1]["mtu"], 5000);
    assert!(pod.pings("2001:db8:1:2::1"));
}

#[test]
fn a_route_without_gateway_goes_through_ours() {
    let host = Host::new();
    let outside = host.outside();
    outside.run("ip route add 10.33.0.0/24 via 198.51.100.1");
    let pod = host.container("pod");
    let conf = Conf::ptp().ipam("routes", json!([{ "dst": "0.0.0.0/0" }]));
    host.plugin("ptp").add(&conf, &pod, "eth0").result();
    assert_eq!(pod.routes("-4", "default")[0]["gateway"], "10.33.0.1");
    assert!(pod.pings("198.51.100.2"));
}

#[test]
fn dns_is_ipams_unless_the_configuration_has_any() {
    let host = Host::new();
    std::fs::write("/run/resolv.conf", "nameserver 192.0.2.53\n").unwrap();
    let conf = Conf::ptp().ipam("resolvConf", "/run/resolv.conf");
    let result = host.plugin("ptp").add(&conf, &host.container("one"), "eth0").result();
    assert_eq!(result["dns"], json!({ "nameservers": ["192.0.2.53"] }));
    let conf = conf.set("dns", json!({ "search": ["example"] }));
    let result = host.plugin("ptp").add(&conf, &host.container("two"), "eth0").result();
    assert_eq!(result["dns"], json!({ "search": ["example"] }));
}

#[test]
fn an_address_without_gateway_is_refused_and_given_back() {
    let host = Host::new();
    let pod = host.container("pod");
    let ipam = IpamScript::that_prints(&host, r#"{"cniVersion":"1.0.0","ips":[{"address":"10.33.0.2/24"}]}"#);
    let before = host.snapshot();
    let error = host.plugin("ptp").add(&ipam.for_conf(Conf::ptp()), &pod, "eth0").error();
    assert!(error.text.contains("10.33.0.2") && error.text.contains("gateway"), "{error:?}");
    assert_eq!(ipam.calls(), ["ADD", "DEL"]);
    host.snapshot().assert_same_as(&before, "a refused ADD");
}

#[test]
fn ipam_is_required() {
    let host = Host::new();
    let pod = host.container("pod");
    let error = host.plugin("ptp").add(&Conf::ptp().remove("ipam"), &pod, "eth0").error();
    error.says(7, &["ipam"]);
}

#[test]
fn cni_args_are_ignored() {
    let host = Host::new();
    let pod = host.container("pod");
    let conf = Conf::ptp().set(
        "ipam",
        json!({ "type": "static",
        "addresses": [{ "address": "10.33.0.9/24", "gateway": "10.33.0.1" }] }),
    );
    let call = host.plugin("ptp").env("CNI_ARGS", "IgnoreUnknown=1;MAC=0a:00:00:00:00:01");
    call.add(&conf, &pod, "eth0").result();
    assert_ne!(pod.link("eth0")["address"], "0a:00:00:00:00:01");
}
