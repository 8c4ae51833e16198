//! The keys of `ipvlan`, and `ipvlan` behind another plugin.

use cni_tests::{Case, Host, Place, needs};
use serde_json::{Value, json};

use crate::link::{FIRST, ipvlan};

#[test]
fn mode_flag_and_mtu() {
    needs!(Ipvlan);
    let case = ipvlan();
    let host = case.host();
    for (mode, flag, mtu) in
        [("", "", 0), ("l2", "bridge", 1400), ("l3", "private", 1500), ("l3s", "vepa", 68)]
    {
        let case = case.with(|conf| conf.set("mode", mode).set("flag", flag).set("mtu", mtu));
        let case = if mtu == 68 { case.with(|conf| conf.ranges(&["10.44.0.0/24"])) } else { case };
        let pod = host.container("pod");
        let result = case.add(&host, &pod).result();
        let link = pod.link("eth0");
        let or = |text: &str, default: &str| if text.is_empty() { json!(default) } else { json!(text) };
        let data = &link["linkinfo"]["info_data"];
        assert_eq!(
            (&data["mode"], data[or(flag, "bridge").as_str().unwrap()].is_null()),
            (&or(mode, "l2"), false),
            "{link}"
        );
        assert_eq!(link["mtu"], if mtu == 0 { 1500 } else { mtu });
        assert_eq!(link["address"], host.link("uplink")["address"], "the master's");
        let with_result = case.with(|conf| conf.prev(&result));
        with_result.call(&host).check(&with_result.conf, &pod, "eth0").done();
        with_result.del(&host, &pod).done();
        pod.remove_netns();
    }
}

/// Runtimes pass a `MAC` to all plugins of a chain.
#[test]
fn cni_args_are_ignored() {
    needs!(Ipvlan);
    let addresses = json!([{ "address": FIRST[0] }]);
    // host-local would refuse it.
    let case = ipvlan().with(|conf| conf.set("ipam", json!({ "type": "static", "addresses": addresses })));
    let host = case.host();
    let pod = host.container("pod");
    let call = case.call(&host).env("CNI_ARGS", "IgnoreUnknown=1;MAC=0a:00:00:00:00:01");
    call.add(&case.conf, &pod, "eth0").result();
    assert_eq!(pod.link("eth0")["address"], host.link("uplink")["address"]);
}

/// What a plugin before would say: one interface on the host, addresses, routes, DNS.
fn previous(interfaces: &[&str]) -> Value {
    let interfaces: Vec<_> = interfaces.iter().map(|name| json!({ "name": name })).collect();
    json!({
        "cniVersion": "1.0.0", "interfaces": interfaces, "routes": crate::link::routes(),
        "ips": [{ "address": FIRST[0], "gateway": "10.44.0.1", "interface": 0 },
            { "address": FIRST[1], "gateway": "fd00:44::1", "interface": 0 }],
        "dns": { "nameservers": ["192.0.2.53"] },
    })
}

fn chained(prev: &Value) -> Case {
    ipvlan().with(|conf| conf.remove("master").remove("ipam").prev(prev))
}

#[test]
fn behind_another_plugin_master_and_addresses_are_that_plugins() {
    needs!(Ipvlan);
    let case = chained(&previous(&["uplink"]));
    let host = case.host();
    let before = host.snapshot();
    let pod = host.container("pod");
    let result = case.add(&host, &pod).result();
    let link = pod.link("eth0");
    let mut expected = previous(&[]);
    expected["interfaces"] = json!([{ "name": "eth0", "mac": link["address"], "sandbox": "/run/netns/pod" }]);
    assert_eq!(result, expected);
    assert_eq!(pod.addresses("eth0"), FIRST);
    assert_eq!(pod.routes("-4", "192.0.2.0/24")[0]["gateway"], "10.44.0.1");
    assert_eq!(link["link_index"], host.link("uplink")["ifindex"]);
    let check = case.with(|conf| conf.prev(&result));
    check.call(&host).check(&check.conf, &pod, "eth0").done();
    pod.run("ip -4 address flush dev eth0");
    check.call(&host).check(&check.conf, &pod, "eth0").error().says(103, &[FIRST[0]]);
    check.del(&host, &pod).done();
    assert!(pod.find_link("eth0").is_none());
    host.snapshot().assert_same_as(&before, "DEL");
    // STATUS knows no plugin before it; there is nothing to say against such a configuration.
    let status = case.conf.remove("prevResult").version("1.1.0");
    host.plugin("ipvlan").status(&status).done();
}

#[test]
fn behind_another_plugin_a_master_or_ipam_of_its_own_wins() {
    needs!(Ipvlan);
    let case = chained(&previous(&["one", "two"])).with(|conf| conf.set("master", "uplink"));
    let host = case.host();
    let pod = host.container("pod");
    assert_eq!(case.add(&host, &pod).result()["ips"][0]["address"], FIRST[0]);
    case.del(&host, &pod).done();
    let case =
        ipvlan().with(|conf| conf.remove("master").ranges(&["10.55.0.0/24"]).prev(&previous(&["uplink"])));
    let result = case.add(&host, &pod).result();
    assert_eq!(result["ips"], json!([{ "address": "10.55.0.2/24", "gateway": "10.55.0.1", "interface": 0 }]));
}

#[test]
fn behind_another_plugin_without_one_interface_or_addresses() {
    needs!(Ipvlan);
    let host: Host = ipvlan().host();
    let pod = host.container("pod");
    let before = host.snapshot();
    for names in [&[][..], &["uplink", "lo"]] {
        let error = chained(&previous(names)).add(&host, &pod).error();
        error.says(7, &["chained master failure", &names.len().to_string(), "master"]);
    }
    let mut without = previous(&["uplink"]);
    without["ips"] = json!([]);
    chained(&without).add(&host, &pod).error().says(7, &["ipam.type"]);
    let alone = ipvlan().with(|conf| conf.remove("ipam"));
    alone.add(&host, &pod).error().says(7, &["ipam.type"]);
    assert!(pod.find_link("eth0").is_none());
    host.snapshot().assert_same_as(&before, "refused ADDs");
}
