//! What ADD answers and makes, in every version of the specification.

use cni_tests::{Case, Host, IpamScript, Place, VERSIONS};
use serde_json::{Value, json};

use crate::link::FIRST;

for_each_plugin!(
    every_version,
    dns_is_ipams_unless_the_configuration_has_any,
    two_interfaces_of_one_container
);
for_each_plugin!([macvlan, tap] without_ipam_it_is_layer_2);
for_each_plugin!([vlan, dummy] ipam_is_required);

fn every_version(case: &Case) {
    let host = case.host();
    let before = host.after_one_container(case.plugin, &case.conf);
    for version in VERSIONS {
        let case = case.with(|conf| conf.version(version));
        let pod = host.container(&format!("pod-{version}"));
        let result = case.add(&host, &pod).result();
        let address = |n: usize| result["ips"][n]["address"].clone();
        let link = pod.link("eth0");
        assert_eq!(result, expected(version, pod.id(), &link, &result), "{version}");
        if version >= "0.3.0" {
            assert_eq!(pod.addresses("eth0"), [address(0), address(1)], "{version}");
            assert!(!pod.run("ip address show dev eth0 scope global").contains("tentative"));
        }
        assert!(link["flags"].as_array().unwrap().contains(&json!("UP")), "{link}");
        assert_eq!(pod.ip("link show").len(), 2, "lo and eth0 and nothing else");
        let with_result = case.with(|conf| conf.prev(&result));
        let check = with_result.call(&host).check(&with_result.conf, &pod, "eth0");
        if version < "0.4.0" {
            check.error().says(1, &["CHECK"]);
        } else {
            check.done();
        }
        with_result.del(&host, &pod).done();
        assert!(pod.find_link("eth0").is_none());
        host.snapshot().assert_same_as(&before, version);
    }
}

/// The shape of the version, around the link's MAC and MTU as `ip` says them and the addresses IPAM gave.
fn expected(version: &str, pod: &str, link: &Value, result: &Value) -> Value {
    let routes = |family: usize| json!([crate::link::routes()[family]]);
    if version < "0.3.0" {
        let ip = |key: &str, gateway: &str, family| json!({ "ip": result[key]["ip"], "gateway": gateway, "routes": routes(family) });
        return json!({
            "cniVersion": version, "dns": {},
            "ip4": ip("ip4", "10.44.0.1", 0), "ip6": ip("ip6", "fd00:44::1", 1),
        });
    }
    let sandbox = format!("/run/netns/{pod}");
    let ip = |n: usize, gateway: &str| json!({ "interface": 0, "address": result["ips"][n]["address"], "gateway": gateway });
    let mut expected = json!({
        "cniVersion": version,
        "interfaces": [{ "name": "eth0", "mac": link["address"], "sandbox": sandbox }],
        "ips": [ip(0, "10.44.0.1"), ip(1, "fd00:44::1")],
        "routes": crate::link::routes(),
    });
    if version == "1.1.0" {
        expected["interfaces"][0]["mtu"] = link["mtu"].clone();
    } else if version != "1.0.0" {
        expected["dns"] = json!({});
        expected["ips"][0]["version"] = json!("4");
        expected["ips"][1]["version"] = json!("6");
    }
    expected
}

fn dns_is_ipams_unless_the_configuration_has_any(case: &Case) {
    let host = case.host();
    std::fs::write("/run/resolv.conf", "nameserver 192.0.2.53\n").unwrap();
    let case = case.with(|conf| conf.ipam("resolvConf", "/run/resolv.conf"));
    let pod = host.container("one");
    let result = case.add(&host, &pod).result();
    assert_eq!(result["dns"], json!({ "nameservers": ["192.0.2.53"] }));
    case.del(&host, &pod).done();
    let case = case.with(|conf| conf.set("dns", json!({ "search": ["example"] })));
    let result = case.add(&host, &host.container("two")).result();
    assert_eq!(result["dns"], json!({ "search": ["example"] }));
}

fn two_interfaces_of_one_container(case: &Case) {
    let host = case.host();
    let pod = host.container("pod");
    case.add(&host, &pod).result();
    assert_eq!(pod.addresses("eth0"), FIRST);
    let before = host.snapshot();
    let other = crate::link::second(case);
    other.call(&host).add(&other.conf, &pod, "net1").result();
    assert_eq!(pod.addresses("net1"), ["10.44.0.3/24", "fd00:44::3/64"]);
    other.call(&host).del(&other.conf, &pod, "net1").done();
    assert!(pod.find_link("net1").is_none());
    assert_eq!(pod.addresses("eth0"), FIRST);
    host.snapshot().assert_same_as(&before, "DEL of the other interface");
}

fn without_ipam_it_is_layer_2(case: &Case) {
    let case = case.with(|conf| conf.remove("ipam"));
    let host = case.host();
    let before = host.snapshot();
    let pod = host.container("pod");
    let result = case.add(&host, &pod).result();
    let link = pod.link("eth0");
    let interface = json!({ "name": "eth0", "mac": link["address"], "sandbox": "/run/netns/pod" });
    assert_eq!(result, json!({ "cniVersion": "1.0.0", "interfaces": [interface] }));
    assert!(link["flags"].as_array().unwrap().contains(&json!("UP")));
    assert!(pod.addresses("eth0").is_empty());
    let with_result = case.with(|conf| conf.prev(&result));
    with_result.call(&host).check(&with_result.conf, &pod, "eth0").done();
    with_result.del(&host, &pod).done();
    assert!(pod.find_link("eth0").is_none());
    // A result without addresses cannot be said in these versions: the attachment is taken back.
    for version in ["0.1.0", "0.2.0"] {
        let error = case.with(|conf| conf.version(version)).add(&host, &pod).error();
        assert!(error.text.contains("no valid IP addresses"), "{error:?}");
        assert!(pod.find_link("eth0").is_none());
    }
    host.snapshot().assert_same_as(&before, "DEL");
}

fn ipam_is_required(case: &Case) {
    let host = case.host();
    let pod = host.container("pod");
    case.with(|conf| conf.remove("ipam")).add(&host, &pod).error().says(7, &["ipam.type"]);
    assert!(pod.find_link("eth0").is_none());
}

/// Route MTU and MSS, table, priority and scope reach the kernel.
#[test]
fn routes_with_everything() {
    let case = crate::link::macvlan();
    let host: Host = case.host();
    let routes = json!([
        { "dst": "192.0.2.0/24", "mtu": 1300, "advmss": 1200, "priority": 7 },
        { "dst": "203.0.113.0/24", "table": 200 },
    ]);
    let answer = json!({ "cniVersion": "1.1.0", "routes": routes,
        "ips": [{ "address": "10.44.0.2/24", "gateway": "10.44.0.1" }] });
    let ipam = IpamScript::that_prints(&host, &answer.to_string());
    let pod = host.container("pod");
    let case = case.with(|conf| ipam.for_conf(conf.version("1.1.0")));
    assert_eq!(case.add(&host, &pod).result()["routes"], routes);
    let route = &pod.routes("-4", "192.0.2.0/24")[0];
    let metrics = &route["metrics"][0];
    assert_eq!((&metrics["mtu"], &metrics["advmss"]), (&json!(1300), &json!(1200)), "{route}");
    assert_eq!((&route["metric"], &route["gateway"]), (&json!(7), &json!("10.44.0.1")));
    assert_eq!(pod.ip("-4 route show table 200").len(), 1);
}
