//! Plugin `bridge` with addresses: results, connectivity, MTU, MAC, DNS, keys.

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
        let (host_end, mtu) = (&result["interfaces"][1]["name"], version == "1.1.0");
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
        } else if version != "1.0.0" {
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
