//! Behind real plugins, in every version, and what packets do.

use cni_tests::{Chain, Conf, Container, Host, Place, in_every_version};
use serde_json::{Value, json};

use crate::sbr::rules;

fn chain(version: &str, main: &Conf) -> Chain {
    let main: Value = serde_json::from_str(&main.text()).unwrap();
    Chain::new(&json!({ "cniVersion": version, "name": main["name"], "plugins": [main, { "type": "sbr" }] }))
}

fn bridge(name: &str, subnets: &[&str]) -> Conf {
    Conf::bridge().ranges(subnets).set("name", name).set("bridge", name).set("isDefaultGateway", true)
}

in_every_version!(behind_bridge as every_version);

fn behind_bridge(version: &str) {
    let host = Host::new();
    let chain = chain(version, &bridge("br0", &["10.22.0.0/24", "fd00:22::/64"]));
    let pod = host.container("pod");
    let result = chain.add(&host, &pod, "eth0");
    assert_eq!(rules(&pod), ["from 10.22.0.2 lookup 100", "from fd00:22::2 lookup 101"]);
    assert!(pod.ip("route show").is_empty());
    if version >= "0.4.0" {
        chain.check(&host, &pod, "eth0", &result);
    }
    chain.del(&host, &pod, "eth0", &result);
    assert_eq!(rules(&pod), [""; 0]);
    assert!(pod.find_link("eth0").is_none());
}

#[test]
fn behind_ptp() {
    let host = Host::new();
    let conf = Conf::ptp().ipam("routes", json!([{ "dst": "0.0.0.0/0" }, { "dst": "::/0" }]));
    let chain = chain("1.1.0", &conf);
    let pod = host.container("pod");
    let result = chain.add(&host, &pod, "eth0");
    chain.check(&host, &pod, "eth0", &result);
    assert!(pod.pings("-I 10.33.0.2 10.33.0.1") && pod.pings("-I fd00:33::2 fd00:33::1"));
    chain.del(&host, &pod, "eth0", &result);
}

/// The interface a packet to a machine elsewhere leaves by.
fn leaves_by(pod: &Container, from: &str) -> String {
    let family = if from.contains(':') { "-6 route get 2001:db8:51::2" } else { "route get 198.51.100.2" };
    let route = pod.ip(&format!("{family} from {from}"));
    route[0]["dev"].as_str().unwrap().to_owned()
}

/// Two networks, both with a default route: each address answers through its own.
#[test]
fn what_comes_from_an_address_leaves_by_its_interface() {
    let host = Host::new();
    // A router whose link-local address is being looked at for duplicates cannot ask for neighbours.
    host.run("sysctl -w net.ipv6.conf.default.accept_dad=0");
    let outside = host.outside();
    for (family, via) in [("-4", "198.51.100.1"), ("-6", "2001:db8:51::1")] {
        outside.run(&format!("ip {family} route add default via {via}"));
    }
    let pod = host.container("pod");
    let first = bridge("br0", &["10.22.0.0/24", "fd00:22::/64"]);
    host.plugin("bridge").add(&first, &pod, "eth0").result();
    let second = bridge("br1", &["10.23.0.0/24", "fd00:23::/64"]).set("isDefaultGateway", false);
    let second = second.set("isGateway", true).set("name", "second");
    let chain = chain("1.1.0", &second);
    let result = chain.add(&host, &pod, "net1");
    for (from, interface) in
        [("10.22.0.2", "eth0"), ("10.23.0.2", "net1"), ("fd00:22::2", "eth0"), ("fd00:23::2", "net1")]
    {
        assert_eq!(leaves_by(&pod, from), interface, "{from}");
        let target = if from.contains(':') { "2001:db8:51::2" } else { "198.51.100.2" };
        assert!(pod.pings(&format!("-I {from} {target}")), "{from}");
        assert!(outside.pings(from), "{from}");
    }
    chain.check(&host, &pod, "net1", &result);
    chain.del(&host, &pod, "net1", &result);
    assert!(outside.pings("10.22.0.2") && outside.pings("fd00:22::2"));
}
