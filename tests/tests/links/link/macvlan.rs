//! The keys of `macvlan`, as `ip` shows what they made.

use cni_tests::{Case, Host, Place};
use serde_json::json;

use crate::link::macvlan;

/// The link's own settings after an ADD with this configuration.
fn made(host: &Host, case: &Case) -> serde_json::Value {
    let pod = host.container("pod");
    case.add(host, &pod).result();
    let link = pod.link("eth0");
    assert_eq!(link["linkinfo"]["info_kind"], "macvlan");
    case.del(host, &pod).done();
    pod.remove_netns();
    link
}

#[test]
fn mode() {
    let case = macvlan();
    let host = case.host();
    for mode in ["", "bridge", "private", "vepa", "passthru"] {
        let link = made(&host, &case.with(|conf| conf.set("mode", mode)));
        let expected = if mode.is_empty() { "bridge" } else { mode };
        assert_eq!(link["linkinfo"]["info_data"]["mode"], expected);
        if mode == "passthru" {
            assert_eq!(link["address"], host.link("uplink")["address"]);
        }
    }
}

#[test]
fn mtu_is_the_masters_or_less() {
    let case = macvlan();
    let host = case.host();
    host.run("ip link set uplink mtu 1450");
    for (mtu, expected) in [(0, 1450), (1400, 1400), (1450, 1450)] {
        assert_eq!(made(&host, &case.with(|conf| conf.set("mtu", mtu)))["mtu"], expected);
    }
}

#[test]
fn bcqueuelen() {
    let case = macvlan();
    let host = case.host();
    let link = made(&host, &case.with(|conf| conf.set("bcqueuelen", 3000)));
    assert_eq!(link["linkinfo"]["info_data"]["bcqueuelen"], 3000, "{link}");
    let default = made(&host, &case);
    let default = default["linkinfo"]["info_data"]["bcqueuelen"].as_u64().unwrap();
    let zero = made(&host, &case.with(|conf| conf.set("bcqueuelen", 0)));
    assert_eq!(zero["linkinfo"]["info_data"]["bcqueuelen"], default);
}

/// In the order of who wins; keys in any case, as Go reads them.
#[test]
fn mac_of_the_runtime_before_cni_args_before_the_key() {
    mac_sources(&macvlan());
}

pub(crate) fn mac_sources(case: &Case) {
    let host = case.host();
    let own = case.with(|conf| conf.set("mac", "0a:00:00:00:00:01"));
    let runtime = own.with(|conf| conf.set("RuntimeConfig", json!({ "mac": "0A:00:00:00:00:03" })));
    for (case, args, expected) in [
        (&own, "", "0a:00:00:00:00:01"),
        (&own, "IgnoreUnknown=1;K8S_POD_NAME=x;MAC=0a:00:00:00:00:02", "0a:00:00:00:00:02"),
        (&runtime, "MAC=0a:00:00:00:00:02;IgnoreUnknown=true", "0a:00:00:00:00:03"),
    ] {
        let pod = host.container("pod");
        let result = case.call(&host).env("CNI_ARGS", args).add(&case.conf, &pod, "eth0").result();
        assert_eq!(pod.link("eth0")["address"], expected);
        assert_eq!(result["interfaces"][0]["mac"], expected);
        case.del(&host, &pod).done();
        pod.remove_netns();
    }
}

/// The first macvlan of a master may have any mode; a second beside a passthru is the kernel's to refuse.
#[test]
fn a_second_one_beside_a_passthru_is_refused() {
    let case = macvlan();
    let host = case.host();
    case.with(|conf| conf.set("mode", "passthru")).add(&host, &host.container("first")).result();
    let before = host.snapshot();
    let pod = host.container("pod");
    case.add(&host, &pod).error().says(100, &["macvlan", "uplink"]);
    assert!(pod.find_link("eth0").is_none());
    host.snapshot().assert_same_as(&before, "a refused ADD");
}
