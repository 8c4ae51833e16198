//! Many at once: the first ADDs of a network, and ADD and DEL side by side.

use std::collections::HashSet;

use cni_tests::{Conf, Host, Outcome, Place, needs};
use serde_json::json;

const AT_ONCE: usize = 40;

/// What a runtime does: error 11 says that a lock was held for too long (so many at once on a slow machine), and to
/// try again. Anything else is the answer.
fn answered(call: impl Fn() -> Outcome) -> Outcome {
    loop {
        let outcome = call();
        if outcome.exit != Some(1) || outcome.error().code != 11 {
            return outcome;
        }
    }
}

#[test]
fn many_first_adds_share_one_bridge() {
    needs!(Iptables);
    for backend in ["nftables", "iptables"] {
        let host = Host::new();
        let conf = Conf::dual_stack_bridge().set("isDefaultGateway", true).set("macspoofchk", true);
        let conf = conf.set("ipMasq", true).set("ipMasqBackend", backend);
        let pods: Vec<_> = (0..AT_ONCE).map(|n| host.container(&format!("racer{n}"))).collect();
        let results: Vec<_> = std::thread::scope(|scope| {
            let (host, conf) = (&host, &conf);
            let add =
                |pod| scope.spawn(move || answered(|| host.plugin("bridge").add(conf, pod, "eth0")).result());
            let threads: Vec<_> = pods.iter().map(add).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let addresses: HashSet<_> = results.iter().map(|r| r["ips"][0]["address"].to_string()).collect();
        assert_eq!(addresses.len(), AT_ONCE);
        assert_eq!(host.addresses("br0"), ["10.22.0.1/24", "fd00:22::1/64"]);
        let bridge = host.link("br0");
        for (pod, result) in pods.iter().zip(&results) {
            assert_eq!(result["interfaces"][0]["mac"], bridge["address"], "the bridge's MAC is final");
            host.plugin("bridge").check(&conf.clone().prev(result), pod, "eth0").done();
        }
        assert!(pods[0].pings("10.22.0.1"));
        let before = host.after_one_container("bridge", &conf);
        std::thread::scope(|scope| {
            for pod in &pods {
                scope.spawn(|| answered(|| host.plugin("bridge").del(&conf, pod, "eth0")).done());
            }
        });
        let left = host.snapshot().since(&before);
        assert!(left.iter().all(|l| l.starts_with('-')), "{left:?}");
        let snapshot = host.snapshot();
        assert!(snapshot.lines_with("racer").is_empty(), "{:?}", snapshot.lines_with("racer"));
    }
}

/// The specification forbids it. The losers must not give the winner's address back: the next container would get it.
#[test]
fn parallel_adds_of_one_attachment_have_one_winner_that_keeps_its_address() {
    for (plugin, conf) in [("bridge", Conf::bridge()), ("ptp", Conf::ptp())] {
        let host = Host::new();
        let pod = host.container("racer");
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let add = |_| scope.spawn(|| host.plugin(plugin).add(&conf, &pod, "eth0"));
            let threads: Vec<_> = (0..8).map(add).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let winners: Vec<_> = outcomes.iter().filter(|outcome| outcome.exit == Some(0)).collect();
        assert_eq!(winners.len(), 1, "{plugin}: {outcomes:?}");
        let result = winners[0].result();
        host.plugin(plugin).check(&conf.clone().prev(&result), &pod, "eth0").done();
        let next = host.plugin(plugin).add(&conf, &host.container("next"), "eth0").result();
        assert_ne!(next["ips"][0]["address"], result["ips"][0]["address"]);
    }
}

#[test]
fn first_adds_with_vlan_gateways() {
    needs!(BridgeVlan);
    let host = Host::new();
    let conf = Conf::bridge().set("isGateway", true).set("vlan", 100);
    let pods: Vec<_> = (0..8).map(|n| host.container(&format!("racer{n}"))).collect();
    std::thread::scope(|scope| {
        for pod in &pods {
            scope.spawn(|| answered(|| host.plugin("bridge").add(&conf, pod, "eth0")).result());
        }
    });
    assert_eq!(host.ip("link show").len(), 4 + pods.len(), "one gateway link for all");
    assert!(pods.iter().all(|pod| pod.pings("10.22.0.1")));
}

#[test]
fn ptp_adds_and_dels_side_by_side() {
    let host = Host::new();
    let conf = Conf::ptp().set("ipMasq", true);
    let before = host.after_one_container("ptp", &conf);
    let pods: Vec<_> = (0..AT_ONCE).map(|n| host.container(&format!("racer{n}"))).collect();
    std::thread::scope(|scope| {
        for pod in &pods {
            scope.spawn(|| {
                for _ in 0..3 {
                    answered(|| host.plugin("ptp").add(&conf, pod, "eth0")).result();
                    answered(|| host.plugin("ptp").del(&conf, pod, "eth0")).done();
                }
            });
        }
    });
    host.snapshot().assert_same_as(&before, "all the DELs");
}

fn attachments() -> [(&'static str, Conf); 3] {
    [
        ("bridge", Conf::bridge().set("isGateway", true)),
        ("bridge", Conf::layer2_bridge().set("bridge", "br1")),
        ("ptp", Conf::ptp()),
    ]
}

#[test]
fn a_second_add_of_one_attachment_fails_and_leaves_the_first_alone() {
    let host = Host::new();
    for (n, (plugin, conf)) in attachments().into_iter().enumerate() {
        let conf = conf.set("name", format!("net{n}"));
        let pod = host.container(&format!("pod{n}"));
        let result = host.plugin(plugin).add(&conf, &pod, "eth0").result();
        let before = host.snapshot();
        let error = host.plugin(plugin).add(&conf, &pod, "eth0").error();
        assert!(error.text.contains("eth0"), "{error:?}");
        host.snapshot().assert_same_as(&before, "the second ADD");
        host.plugin(plugin).check(&conf.prev(&result), &pod, "eth0").done();
    }
}

#[test]
fn a_second_add_leaves_the_first_alone_whatever_the_container_calls_its_link() {
    let host = Host::new();
    for (n, (plugin, conf)) in attachments().into_iter().enumerate() {
        let conf = conf.set("name", format!("net{n}"));
        let pod = host.container(&format!("pod{n}"));
        host.plugin(plugin).add(&conf, &pod, "eth0").result();
        let addresses = pod.addresses("eth0");
        pod.run("ip link set eth0 down");
        pod.run("ip link set eth0 name renamed");
        let before = host.snapshot();
        let error = host.plugin(plugin).add(&conf, &pod, "eth0").error();
        error.says(100, &["eth0", pod.id(), "renamed", "DEL"]);
        host.snapshot().assert_same_as(&before, "the second ADD");
        assert_eq!(pod.addresses("renamed"), addresses);
    }
}

#[test]
fn a_second_add_to_another_namespace_leaves_the_first_alone() {
    let host = Host::new();
    let conf = Conf::bridge();
    let (pod, other) = (host.container("pod"), host.container("other"));
    let result = host.plugin("bridge").add(&conf, &pod, "eth0").result();
    let before = host.snapshot();
    let call = host.plugin("bridge").env("CNI_NETNS", other.netns());
    call.add(&conf, &pod, "eth0").error().says(100, &["eth0", "pod", "another namespace", "DEL"]);
    assert!(other.find_link("eth0").is_none());
    host.snapshot().assert_same_as(&before, "the second ADD");
    host.plugin("bridge").check(&conf.prev(&result), &pod, "eth0").done();
}

/// The kernel removes the old pair a moment after its namespace has died: that is waited for.
#[test]
fn a_container_that_is_restarted_without_a_del_gets_its_link() {
    let host = Host::new();
    let conf =
        Conf::bridge().set("ipam", json!({ "type": "static", "addresses": [{ "address": "10.22.0.9/24" }] }));
    let gateway = json!([{ "address": "10.33.0.9/24", "gateway": "10.33.0.1" }]);
    let ptp = Conf::ptp().set("ipam", json!({ "type": "static", "addresses": gateway }));
    for (plugin, conf) in [("bridge", conf), ("ptp", ptp)] {
        for _ in 0..10 {
            let pod = host.container("pod");
            host.plugin(plugin).add(&conf, &pod, "eth0").result();
            assert_eq!(pod.addresses("eth0").len(), 1);
            pod.remove_netns();
        }
        let pod = host.container("pod");
        host.plugin(plugin).del(&conf, &pod, "eth0").done();
        pod.remove_netns();
    }
}
