//! Behind real plugins, in every version that has `vrf`, and what packets do.

use cni_tests::{Chain, Conf, Host, Place, needs};
use serde_json::{Value, json};

use crate::vrf::{master, vrfs};

fn chain(version: &str, main: &Conf, vrf: &str) -> Chain {
    let main: Value = serde_json::from_str(&main.text()).unwrap();
    let plugins = json!([main, { "type": "vrf", "vrfname": vrf }]);
    Chain::new(&json!({ "cniVersion": version, "name": main["name"], "plugins": plugins }))
}

fn bridge(name: &str) -> Conf {
    let conf = Conf::dual_stack_bridge().set("isDefaultGateway", true).set("name", name);
    let routes = json!([{ "dst": "192.0.2.0/24" }, { "dst": "2001:db8::/32", "gw": "fd00:22::9" }]);
    conf.set("bridge", name).ipam("routes", routes).ipam("dataDir", format!("/var/lib/cni/{name}"))
}

#[test]
fn behind_bridge_in_every_version() {
    needs!(Vrf);
    for version in ["0.3.1", "0.4.0", "1.0.0", "1.1.0"] {
        let host = Host::new();
        let chain = chain(version, &bridge("br0"), "red");
        let pod = host.container("pod");
        let result = chain.add(&host, &pod, "eth0");
        assert_eq!((vrfs(&pod).len(), master(&pod, "eth0").as_deref()), (1, Some("red")));
        assert!(pod.pings("-I red 10.22.0.1") && pod.pings("-I red fd00:22::1"), "{version}");
        if version >= "0.4.0" {
            chain.check(&host, &pod, "eth0", &result);
        }
        chain.del(&host, &pod, "eth0", &result);
        assert_eq!(vrfs(&pod), []);
        assert!(pod.find_link("eth0").is_none());
    }
}

#[test]
fn behind_ptp() {
    needs!(Vrf);
    let host = Host::new();
    let conf = Conf::ptp().ipam("routes", json!([{ "dst": "0.0.0.0/0" }, { "dst": "::/0" }]));
    let chain = chain("1.1.0", &conf, "red");
    let pod = host.container("pod");
    let result = chain.add(&host, &pod, "eth0");
    chain.check(&host, &pod, "eth0", &result);
    assert!(pod.pings("-I red 10.33.0.1") && pod.pings("-I red fd00:33::1"));
    chain.del(&host, &pod, "eth0", &result);
}

/// Two tenants with the same addresses: each VRF reaches its own gateway.
#[test]
fn the_same_network_twice_in_one_container() {
    needs!(Vrf);
    let host = Host::new();
    host.run("ip link set lo up");
    let pod = host.container("pod");
    let tenants = [("br0", "eth0", "red"), ("br1", "net1", "blue")];
    for (name, ifname, vrf) in tenants {
        // Both hosts' ends have the gateway's address; a namespace each keeps them apart in reality.
        let chain = chain("1.1.0", &bridge(name).set("isDefaultGateway", false).set("isGateway", false), vrf);
        chain.add(&host, &pod, ifname);
        assert_eq!(pod.addresses(ifname), ["10.22.0.2/24", "fd00:22::2/64"]);
    }
    for (name, _, vrf) in tenants {
        host.run(&format!("ip link add {name}-peer type veth peer name {name}-far"));
        host.run(&format!("ip link set {name}-peer master {name} up"));
        let far = host.container(&format!("far-{vrf}"));
        host.run(&format!("ip link set {name}-far netns {}", far.id()));
        far.run(&format!("ip link set {name}-far up"));
        let own = if vrf == "red" { "10.22.0.77/24" } else { "10.22.0.78/24" };
        far.run(&format!("ip address add {own} dev {name}-far"));
    }
    assert!(pod.pings("-I red 10.22.0.77") && pod.pings("-I blue 10.22.0.78"));
    assert!(!pod.pings("-I red 10.22.0.78"));
}
