//! What a delegate answers is read by the answer's own version, in every combination with the configuration's: the IPAM
//! plugin of each plugin that has one, and flannel's delegate. A delegate of the same build is in the same process.

mod in_process;

use cni_tests::{Case, Conf, Host, IpamScript, Place, needs};
use serde_json::{Value, json};

/// One version of each shape that a result was ever written in, and the neighbours that only look alike.
const FAMILIES: [&str; 5] = ["0.2.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"];

/// An answer of this version with two addresses and a route.
fn answer(version: &str) -> Value {
    let routes = json!([{ "dst": "203.0.113.0/24" }]);
    match version {
        "0.2.0" => json!({
            "cniVersion": version, "ip4": { "ip": "10.6.0.4/24", "gateway": "10.6.0.1", "routes": routes },
            "ip6": { "ip": "fd00:6::4/64", "gateway": "fd00:6::1" }, "dns": {},
        }),
        "0.3.1" | "0.4.0" => json!({
            "cniVersion": version, "routes": routes, "dns": {}, "ips": [
                { "version": "4", "address": "10.6.0.4/24", "gateway": "10.6.0.1" },
                { "version": "6", "address": "fd00:6::4/64", "gateway": "fd00:6::1" },
            ],
        }),
        _ => json!({
            "cniVersion": version, "routes": routes,
            "ips": [
                { "address": "10.6.0.4/24", "gateway": "10.6.0.1" },
                { "address": "fd00:6::4/64", "gateway": "fd00:6::1" },
            ],
        }),
    }
}

/// The addresses of a result of any version.
fn addresses(result: &Value) -> Vec<&str> {
    match result["ips"].as_array() {
        Some(ips) => ips.iter().map(|ip| ip["address"].as_str().unwrap()).collect(),
        None => ["ip4", "ip6"].iter().map(|key| result[key]["ip"].as_str().unwrap()).collect(),
    }
}

fn every_combination(case: &Case) {
    let host = case.host();
    let pod = host.container("pod");
    for answered in FAMILIES {
        let ipam = IpamScript::that_prints(&host, &answer(answered).to_string());
        for configured in FAMILIES {
            let what = format!("{}, {configured}, answered in {answered}", case.plugin);
            let case = case.with(|conf| ipam.for_conf(conf.version(configured)));
            let result = case.add(&host, &pod).result();
            assert_eq!(result["cniVersion"], configured, "{what}");
            assert_eq!(addresses(&result), ["10.6.0.4/24", "fd00:6::4/64"], "{what}");
            assert_eq!(pod.addresses("eth0"), ["10.6.0.4/24", "fd00:6::4/64"], "{what}");
            assert_eq!(pod.routes("-4", "203.0.113.0/24")[0]["gateway"], "10.6.0.1", "{what}");
            case.del(&host, &pod).done();
        }
    }
}

fn uplink(host: &Host) {
    host.run("ip link add uplink type veth peer name other");
    host.run("ip link set uplink up");
}

fn conf(plugin: &str) -> Conf {
    Conf::new(json!({ "cniVersion": "1.0.0", "name": "net", "type": plugin }))
}

#[test]
fn any_ipam_version_with_bridge() {
    every_combination(&Case::new("bridge", Conf::layer2_bridge()));
}

#[test]
fn any_ipam_version_with_ptp() {
    every_combination(&Case::new("ptp", Conf::ptp()));
}

#[test]
fn any_ipam_version_with_macvlan() {
    every_combination(&Case::new("macvlan", conf("macvlan").set("master", "uplink")).on(uplink));
}

#[test]
fn any_ipam_version_with_tap() {
    every_combination(&Case::new("tap", conf("tap")));
}

#[test]
fn any_ipam_version_with_host_device() {
    every_combination(&Case::new("host-device", conf("host-device").set("device", "uplink")).on(uplink));
}

#[test]
fn any_ipam_version_with_ipvlan() {
    needs!(Ipvlan);
    every_combination(&Case::new("ipvlan", conf("ipvlan").set("master", "uplink")).on(uplink));
}

#[test]
fn any_ipam_version_with_vlan() {
    needs!(Vlan);
    every_combination(&Case::new("vlan", conf("vlan").set("master", "uplink").set("vlanId", 5)).on(uplink));
}

#[test]
fn any_ipam_version_with_dummy() {
    needs!(Dummy);
    every_combination(&Case::new("dummy", conf("dummy")));
}

#[test]
fn any_delegate_version_with_flannel() {
    let host = Host::new();
    std::fs::create_dir_all("/run/flannel").unwrap();
    let env =
        "FLANNEL_NETWORK=10.6.0.0/16\nFLANNEL_SUBNET=10.6.0.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n";
    std::fs::write("/run/flannel/subnet.env", env).unwrap();
    for answered in FAMILIES {
        // A script like any other delegate.
        let _script = IpamScript::that_prints(&host, &answer(answered).to_string());
        for configured in FAMILIES {
            let delegate = json!({ "type": "ipam-script" });
            let conf = conf("flannel").version(configured).set("delegate", delegate);
            let pod = host.container("pod");
            let result = host.plugin("flannel").add(&conf, &pod, "eth0").result();
            assert_eq!(result["cniVersion"], configured, "answered in {answered}");
            assert_eq!(addresses(&result), ["10.6.0.4/24", "fd00:6::4/64"], "{configured} of {answered}");
            host.plugin("flannel").del(&conf, &pod, "eth0").done();
            pod.remove_netns();
        }
    }
}

#[test]
fn an_answer_of_an_unknown_version_is_an_error_that_names_it_and_nothing_is_left() {
    let host = Host::new();
    let unknown = json!({ "cniVersion": "9.0.0", "ips": [{ "address": "10.6.0.4/24" }] });
    let ipam = IpamScript::that_prints(&host, &unknown.to_string());
    let conf = ipam.for_conf(Conf::layer2_bridge());
    let pod = host.container("pod");
    let error = host.plugin("bridge").add(&conf, &pod, "eth0").error();
    error.says(102, &["ipam-script", "9.0.0", "known are"]);
    assert!(pod.find_link("eth0").is_none());
    assert_eq!(ipam.calls(), ["ADD", "DEL"]);
}

/// What the runtime hands over is not a delegate's answer: it has converted it, or is wrong.
#[test]
fn a_prev_result_stays_of_the_configurations_family() {
    let host = Host::new();
    let pod = host.container("pod");
    for (configured, given) in [("1.0.0", "0.4.0"), ("0.4.0", "1.0.0"), ("0.3.1", "0.2.0")] {
        let conf = Conf::new(json!({ "cniVersion": configured, "name": "net", "type": "tuning" }));
        let error = host.plugin("tuning").add(&conf.prev(&answer(given)), &pod, "lo").error();
        error.says(1, &["could not parse prevResult", given]);
    }
}
