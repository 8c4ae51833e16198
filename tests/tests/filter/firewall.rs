//! `firewall`: what packets see, what is in the ruleset, and that it goes.

use cni_tests::{Conf, Container, Host, Place, needs};
use serde_json::{Value, json};

const BACKENDS: [&str; 2] = ["iptables", "nftables"];

/// `firewall` of network `net`, spec version 1.1.0.
fn conf(backend: &str) -> Conf {
    Conf::new(json!({ "cniVersion": "1.1.0", "name": "net", "type": "firewall", "backend": backend }))
}

/// A bridge `br0` with both families, as its containers' default gateway.
fn bridge() -> Conf {
    Conf::dual_stack_bridge().set("isDefaultGateway", true).version("1.1.0")
}

/// The same on another bridge.
fn other_bridge() -> Conf {
    bridge().set("name", "other").set("bridge", "br1").ranges(&["10.23.0.0/24", "fd00:23::/64"])
}

/// A container behind `bridge` and then `firewall`, and its result.
fn attach(host: &Host, id: &str, bridge: &Conf, conf: &Conf) -> (Container, Value) {
    let pod = host.container(id);
    let result = host.plugin("bridge").add(bridge, &pod, "eth0").result();
    let passed = host.plugin("firewall").add(&conf.clone().prev(&result), &pod, "eth0").result();
    assert_eq!(passed, result, "the result is prevResult");
    (pod, result)
}

/// A firewalled host: whatever it forwards is dropped unless somebody accepts it.
fn drops_by_default(host: &Host, backend: &str) {
    if backend == "iptables" {
        host.run("iptables -P FORWARD DROP");
        host.run("ip6tables -P FORWARD DROP");
    } else {
        host.run("nft add chain inet cni_firewall forward { policy drop ; }");
    }
}

/// The outside gets routes to the containers, so that nothing but the firewall is in the way.
fn routed_outside(host: &Host) -> Container {
    let outside = host.outside();
    for (family, net, gateway) in
        [("-4", "10.22.0.0/15", "198.51.100.1"), ("-6", "fd00:22::/31", "2001:db8:51::1")]
    {
        outside.run(&format!("ip {family} route add {net} via {gateway}"));
        // The fresh link answers as soon as its carrier is known, which is not at once.
        outside.run(&format!("ping -n -c 1 -w 10 {gateway}"));
    }
    outside
}

fn reaches_outside(pod: &Container) -> [bool; 2] {
    ["198.51.100.2", "2001:db8:51::2"].map(|target| pod.pings(target))
}

#[test]
fn containers_get_answers_and_nobody_else_gets_in() {
    needs!(Iptables);
    for backend in BACKENDS {
        let host = Host::new();
        let outside = routed_outside(&host);
        let (pod, _) = attach(&host, "pod", &bridge(), &conf(backend));
        let stranger = host.container("stranger");
        host.plugin("bridge").add(&bridge(), &stranger, "eth0").result();
        assert_eq!(reaches_outside(&stranger), [true, true], "{backend}: nothing is in the way yet");
        drops_by_default(&host, backend);
        assert_eq!(reaches_outside(&pod), [true, true], "{backend}");
        assert_eq!(reaches_outside(&stranger), [false, false], "{backend}: not behind the firewall plugin");
        assert!(!outside.pings("10.22.0.2") && !outside.pings("fd00:22::2"), "{backend}: nobody asked");
        // A second ADD leaves the policy as the administrator set it.
        let (second, _) = attach(&host, "second", &bridge(), &conf(backend));
        assert_eq!(
            (reaches_outside(&second), reaches_outside(&stranger)),
            ([true; 2], [false; 2]),
            "{backend}"
        );
        host.plugin("firewall").del(&conf(backend), &pod, "eth0").done();
        assert_eq!(reaches_outside(&pod), [false, false], "{backend}: after DEL");
        assert_eq!(reaches_outside(&second), [true, true], "{backend}: the other one stays");
    }
}

#[test]
fn the_administrators_chain_comes_first() {
    needs!(Iptables);
    for backend in BACKENDS {
        let host = Host::new();
        let _outside = routed_outside(&host);
        let conf = conf(backend).set("iptablesAdminChainName", "my-rules");
        let (pod, _) = attach(&host, "pod", &bridge(), &conf);
        drops_by_default(&host, backend);
        if backend == "iptables" {
            host.run("iptables -A my-rules -d 198.51.100.2 -j DROP");
            host.run("ip6tables -A my-rules -d 2001:db8:51::2 -j DROP");
        } else {
            host.run("nft add rule inet cni_firewall my-rules ip daddr 198.51.100.2 drop");
            host.run("nft add rule inet cni_firewall my-rules ip6 daddr 2001:db8:51::2 drop");
        }
        assert_eq!(reaches_outside(&pod), [false, false], "{backend}");
        attach(&host, "second", &bridge(), &conf);
        assert_eq!(reaches_outside(&pod), [false, false], "{backend}: rules of the administrator stay");
    }
}

/// Who reaches whom: [own bridge, the other bridge], both families at once.
fn reach(one: &Container) -> [bool; 2] {
    let both = |v4: &str, v6: &str| {
        let seen = [one.pings(v4), one.pings(v6)];
        assert_eq!(seen[0], seen[1], "{v4} and {v6} differ");
        seen[0]
    };
    [both("10.22.0.3", "fd00:22::3"), both("10.23.0.2", "fd00:23::2")]
}

#[test]
fn bridges_reach_each_other_as_their_policies_say() {
    needs!(Iptables, BridgeNetfilter);
    for backend in BACKENDS {
        for (policy, other, expected, from_outside) in [
            ("open", "open", [true, true], true),
            ("open", "same-bridge", [true, true], true),
            ("same-bridge", "open", [true, true], true),
            ("same-bridge", "same-bridge", [true, false], true),
            ("same-bridge", "isolated", [true, false], true),
            ("isolated", "isolated", [false, false], true),
        ] {
            let host = Host::new();
            for family in ["ip", "ip6"] {
                host.run(&format!("sysctl -qw net.bridge.bridge-nf-call-{family}tables=1"));
            }
            let outside = routed_outside(&host);
            let mine = conf(backend).set("ingressPolicy", policy);
            let (one, result) = attach(&host, "one", &bridge(), &mine);
            attach(&host, "two", &bridge(), &mine);
            attach(
                &host,
                "three",
                &other_bridge(),
                &mine.clone().set("name", "other").set("ingressPolicy", other),
            );
            let case = format!("{backend} {policy} {other}");
            assert_eq!(reach(&one), expected, "{case}");
            assert_eq!(reaches_outside(&one), [true, true], "{case}");
            assert_eq!(outside.pings("10.22.0.2"), from_outside, "{case}: not through a bridge");
            assert!(one.pings("10.22.0.1"), "{case}: the host");
            host.plugin("firewall").check(&mine.prev(&result), &one, "eth0").done();
        }
    }
}

#[test]
fn the_policy_of_a_bridge_can_be_taken_back_with_nftables() {
    needs!(BridgeNetfilter);
    let host = Host::new();
    for family in ["ip", "ip6"] {
        host.run(&format!("sysctl -qw net.bridge.bridge-nf-call-{family}tables=1"));
    }
    let isolated = conf("nftables").set("ingressPolicy", "isolated");
    let (one, _) = attach(&host, "one", &bridge(), &isolated);
    let (_two, _) = attach(&host, "two", &bridge(), &isolated.set("ingressPolicy", "same-bridge"));
    assert!(one.pings("10.22.0.3"), "the later one of the same network counts");
}

#[test]
fn isolation_stays_in_front_whoever_comes_first() {
    needs!(Iptables);
    let host = Host::new();
    let same = conf("iptables").set("ingressPolicy", "same-bridge");
    let (one, result) = attach(&host, "one", &bridge(), &same);
    attach(&host, "two", &other_bridge(), &same.clone().set("name", "other"));
    assert!(!one.pings("10.23.0.2"));
    // Somebody restores the accepting jump, in front of the isolation.
    host.run("iptables -I FORWARD 1 -j CNI-FORWARD");
    host.run("iptables -D FORWARD 3");
    assert!(one.pings("10.23.0.2"), "that is why the order matters");
    let error = host.plugin("firewall").check(&same.clone().prev(&result), &one, "eth0").error();
    error.says(103, &["FORWARD"]);
    attach(&host, "three", &bridge(), &same);
    assert!(!one.pings("10.23.0.2"), "the next ADD has put it right");
}

#[test]
fn without_br_netfilter_isolated_says_what_it_cannot_do() {
    let host = Host::new();
    let isolated = conf("nftables").set("ingressPolicy", "isolated");
    let pod = host.container("pod");
    let result = host.plugin("bridge").add(&bridge(), &pod, "eth0").result();
    for family in ["ip", "ip6"] {
        host.try_run(&format!("sysctl -qw net.bridge.bridge-nf-call-{family}tables=0"));
    }
    let added = host.plugin("firewall").add(&isolated.clone().prev(&result), &pod, "eth0");
    added.result();
    let status = host.plugin("firewall").status(&isolated);
    status.done();
    for stderr in [added.stderr, status.stderr] {
        assert!(stderr.contains("br_netfilter") && stderr.contains("isolated"), "{stderr}");
    }
}
