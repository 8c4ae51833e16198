//! What the delegate gets and what the runtime is told, in every version.

use cni_tests::{Conf, Host, Place, in_every_version};
use serde_json::{Value, json};

use crate::flannel::spy::{Spy, spied};
use crate::flannel::{DATA_DIR, DUAL_STACK, SUBNET_ENV, conf, node, write_subnet_env};

in_every_version!(result as result_shape, verbs as add_check_del);

fn result(version: &str) {
    let host = node();
    write_subnet_env(DUAL_STACK);
    let pod = host.container("pod");
    let result = host.plugin("flannel").add(&conf(version), &pod, "eth0").result();
    assert_eq!(result["cniVersion"], version);
    assert_eq!(pod.addresses("eth0"), ["10.244.7.2/24", "fd00:244:0:7::2/64"]);
    assert_eq!(host.addresses("cni0"), ["10.244.7.1/24", "fd00:244:0:7::1/64"]);
    assert_eq!(pod.link("eth0")["mtu"], 1450);
    assert_eq!(pod.routes("-4", "10.244.0.0/16")[0]["gateway"], "10.244.7.1");
    assert_eq!(pod.routes("-6", "fd00:244::/48")[0]["gateway"], "fd00:244:0:7::1");
    // The same as from the delegate alone.
    let (_, saved) = read_saved("pod");
    let other = host.container("other");
    let alone = host.plugin("bridge").add(&Conf::new(saved), &other, "eth0").result();
    let shape = |result: &Value| {
        let text = result.to_string().replace("/run/netns/other", "/run/netns/pod");
        let text = text.replace("10.244.7.3", "10.244.7.2").replace("fd00:244:0:7::3", "fd00:244:0:7::2");
        let mut value: Value = serde_json::from_str(&text).unwrap();
        for interface in value["interfaces"].as_array_mut().into_iter().flatten() {
            let interface = interface.as_object_mut().unwrap();
            interface.remove("mac");
            if interface["name"].as_str().unwrap().starts_with("veth") {
                interface.remove("name");
            }
        }
        value
    };
    assert_eq!(shape(&result), shape(&alone));
}

fn verbs(version: &str) {
    let host = node();
    let conf = conf(version);
    let before = host.after_one_container("flannel", &conf);
    let pod = host.container("pod");
    let result = host.plugin("flannel").add(&conf, &pod, "eth0").result();
    let with_result = conf.prev(&result);
    let check = host.plugin("flannel").check(&with_result, &pod, "eth0");
    if version < "0.4.0" {
        check.error().says(1, &["CHECK"]);
    } else {
        check.done();
    }
    host.plugin("flannel").del(&with_result, &pod, "eth0").done();
    assert!(pod.find_link("eth0").is_none());
    host.snapshot().assert_same_as(&before, "DEL");
}

fn read_saved(name: &str) -> (Value, Value) {
    let text = std::fs::read_to_string(format!("{DATA_DIR}/{name}")).unwrap();
    let whole: Value = serde_json::from_str(&text).unwrap();
    let mut conf = whole.clone();
    let ours = ["flannelOwner", "flannelAttachment"];
    ours.iter().for_each(|key| assert!(conf.as_object_mut().unwrap().remove(*key).is_some()));
    (whole, conf)
}

/// What the delegate gets for this configuration on a node with this `subnet.env`; the same is saved.
fn delegated(subnet_env: &str, conf: &Conf) -> String {
    let host = Host::new();
    write_subnet_env(subnet_env);
    let spy = Spy::new(&host);
    let conf = conf.clone().version("1.0.0");
    spy.flannel(&host).add(&conf, &host.container("pod"), "eth0").result();
    let (text, value) = spy.input();
    assert_eq!(read_saved("pod").1, value);
    text
}

#[test]
fn defaults_come_from_the_subnet() {
    let golden = r#"{"cniVersion":"1.0.0","ipMasq":false,"ipam":{"ranges":[[{"subnet":"10.244.7.0/24"}]],"routes":[{"dst":"10.244.0.0/16"}],"type":"host-local"},"mtu":1450,"name":"cbr0","type":"spy"}"#;
    assert_eq!(delegated(SUBNET_ENV, &spied(conf("1.0.0"))), golden);
}

#[test]
fn a_node_of_both_families_and_several_networks() {
    let env = "FLANNEL_NETWORK=10.244.3.0/16,10.10.0.0/16,10.244.0.0/16\nFLANNEL_SUBNET=10.244.7.1/24\n\
        FLANNEL_IPV6_NETWORK=FD00:244::/48,fd00:10::/48\nFLANNEL_IPV6_SUBNET=fd00:244:0:7::1/64\n\
        FLANNEL_MTU=1400\nFLANNEL_IPMASQ=false\n";
    let golden = r#"{"cniVersion":"1.0.0","ipMasq":true,"ipam":{"ranges":[[{"subnet":"10.244.7.0/24"}],[{"subnet":"fd00:244:0:7::/64"}]],"routes":[{"dst":"10.244.0.0/16"},{"dst":"10.10.0.0/16"},{"dst":"fd00:244::/48"},{"dst":"fd00:10::/48"}],"type":"host-local"},"mtu":1400,"name":"cbr0","type":"spy"}"#;
    assert_eq!(delegated(env, &spied(conf("1.0.0"))), golden);
    let v6: String = env
        .lines()
        .filter(|l| !l.contains("_NETWORK=1") && !l.contains("_SUBNET=1"))
        .fold(String::new(), |text, line| text + line + "\n");
    let golden = r#"{"cniVersion":"1.0.0","ipMasq":true,"ipam":{"ranges":[[{"subnet":"fd00:244:0:7::/64"}]],"routes":[{"dst":"fd00:244::/48"},{"dst":"fd00:10::/48"}],"type":"host-local"},"mtu":1400,"name":"cbr0","type":"spy"}"#;
    assert_eq!(delegated(&v6, &spied(conf("1.0.0"))), golden);
}

#[test]
fn every_key_of_the_delegate_and_of_ipam_is_kept() {
    let conf = conf("1.0.0")
        .set("delegate", json!({
            "type": "spy", "mtu": 1234, "ipMasq": true, "isGateway": false, "vlan": 5,
            "z": { "b": [1, { "d": 1, "c": null }], "a": "x" }, "cniVersion": "0.3.1",
        }))
        .set("ipam", json!({
            "type": "other", "dataDir": "/run/ipam", "ranges": [[{ "subnet": "10.1.0.0/16" }]], "subnet": "10.2.0.0/16",
            "routes": [{ "dst": "0.0.0.0/0" }, { "gw": "10.244.7.9", "dst": "192.0.2.0/24" }],
        }))
        .set("runtimeConfig", json!({ "mac": "0a:00:00:00:00:01" }))
        // Nothing else is handed on.
        .set("args", json!({ "cni": { "mac": "x" } }))
        .set("dns", json!({ "nameservers": ["192.0.2.53"] }))
        .set("capabilities", json!({ "mac": true }))
        .set("prevResult", json!({ "cniVersion": "1.0.0" }));
    let golden = r#"{"cniVersion":"1.0.0","ipMasq":true,"ipam":{"dataDir":"/run/ipam","ranges":[[{"subnet":"10.244.7.0/24"}]],"routes":[{"dst":"0.0.0.0/0"},{"dst":"192.0.2.0/24","gw":"10.244.7.9"},{"dst":"10.244.0.0/16"}],"subnet":"10.2.0.0/16","type":"other"},"isGateway":false,"mtu":1234,"name":"cbr0","runtimeConfig":{"mac":"0a:00:00:00:00:01"},"type":"spy","vlan":5,"z":{"a":"x","b":[1,{"c":null,"d":1}]}}"#;
    assert_eq!(delegated(SUBNET_ENV, &conf), golden);
}

#[test]
fn a_bridge_is_a_gateway_and_the_default() {
    let host = node();
    let bridge = "/run/spy/bridge";
    let spy = Spy::new(&host);
    host.run(&format!("cp /run/spy/spy {bridge}"));
    let golden = r#"{"cniVersion":"1.0.0","ipMasq":false,"ipam":{"ranges":[[{"subnet":"10.244.7.0/24"}]],"routes":[{"dst":"10.244.0.0/16"}],"type":"host-local"},"isGateway":true,"mtu":1450,"name":"cbr0","type":"bridge"}"#;
    for (n, delegate) in [Value::Null, json!({}), json!({ "type": "bridge" })].into_iter().enumerate() {
        let conf = conf("1.0.0").set("delegate", delegate);
        spy.flannel(&host).add(&conf, &host.container(&format!("pod{n}")), "eth0").result();
        assert_eq!(spy.input().0, golden);
    }
}

#[test]
fn keys_are_the_same_whatever_their_case() {
    let delegate = json!({ "Type": "spy", "MTU": 1300, "ipmasq": true });
    let text = delegated(
        SUBNET_ENV,
        &conf("1.0.0").set("Delegate", delegate).set("IPAM", json!({ "TYPE": "other" })),
    );
    let golden = r#"{"MTU":1300,"Type":"spy","cniVersion":"1.0.0","ipam":{"TYPE":"other","ranges":[[{"subnet":"10.244.7.0/24"}]],"routes":[{"dst":"10.244.0.0/16"}]},"ipmasq":true,"name":"cbr0"}"#;
    assert_eq!(text, golden);
}

#[test]
fn without_a_version_the_delegate_gets_none() {
    let host = node();
    let answer = r#"[ $1 != ADD ] || { echo '{"ip4":{"ip":"10.244.7.9/24"}}'; exit 0; }"#;
    let spy = Spy::answering(&host, answer);
    let conf = spied(conf("1.0.0")).remove("cniVersion");
    let result = spy.flannel(&host).add(&conf, &host.container("pod"), "eth0").result();
    assert_eq!(result, json!({ "cniVersion": "0.1.0", "ip4": { "ip": "10.244.7.9/24" }, "dns": {} }));
    assert!(spy.input().1.get("cniVersion").is_none());
}

#[test]
fn subnet_file_and_data_dir_are_where_the_configuration_says() {
    let host = Host::new();
    let spy = Spy::new(&host);
    host.run("mkdir -p /run/elsewhere");
    std::fs::write("/run/elsewhere/env", SUBNET_ENV).unwrap();
    let conf =
        spied(conf("1.0.0")).set("subnetFile", "/run/elsewhere/env").set("dataDir", "/run/elsewhere/deep");
    let pod = host.container("pod");
    spy.flannel(&host).add(&conf, &pod, "eth0").result();
    let mode = |path: &str| host.run(&format!("stat -c %a {path}"));
    assert_eq!(mode("/run/elsewhere/deep"), "700\n");
    assert_eq!(mode("/run/elsewhere/deep/pod"), "600\n");
    assert!(!std::fs::exists(DATA_DIR).unwrap());
    spy.flannel(&host).del(&conf, &pod, "eth0").done();
    assert_eq!(host.run("ls -A /run/elsewhere/deep"), "");
}

#[test]
fn what_the_runtime_adds_reaches_the_delegate() {
    let host = node();
    let conf = conf("1.0.0").set("capabilities", json!({ "mac": true }));
    let conf = conf.runtime("mac", &json!("0a:00:00:00:00:07"));
    let pod = host.container("pod");
    host.plugin("flannel").add(&conf, &pod, "eth0").result();
    assert_eq!(pod.link("eth0")["address"], "0a:00:00:00:00:07");
}

/// As the reference, which reads these objects without knowing their keys: a delegate takes no `1400.0` for a number.
#[test]
fn whole_numbers_reach_the_delegate_as_such() {
    let host = node();
    write_subnet_env(DUAL_STACK);
    let pod = host.container("pod");
    let spy = Spy::new(&host);
    let conf = r#"{"cniVersion":"1.0.0","name":"n","type":"flannel","runtimeConfig":{"rate":1e+06},
        "delegate":{"type":"spy","mtu":1400.0,"half":0.5},"ipam":{"type":"spy","n":[2.0]}}"#;
    let conf = Conf::new(serde_json::from_str(conf).unwrap());
    spy.flannel(&host).add(&conf, &pod, "eth0").result();
    let (text, _) = spy.input();
    for part in [r#""mtu":1400,"#, r#""half":0.5"#, r#""n":[2]"#, r#""rate":1000000}"#] {
        assert!(text.contains(part), "{part}: {text}");
    }
}
