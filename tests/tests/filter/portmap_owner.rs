//! `portmap`: DEL and GC find what belongs to whom, in every layout; upgrades; many at once.

use cni_tests::published::mapping;
use cni_tests::{Conf, Host, Place, Snapshot, Suite, needs};
use serde_json::json;

const BACKENDS: [&str; 2] = ["nftables", "iptables"];

fn conf(backend: &str) -> Conf {
    Conf::portmap(backend, &json!([mapping(8080, 80, "tcp"), mapping(5353, 53, "udp")]))
}

/// The host with `pod` attached and what stays for good there.
fn settled(host: &Host, conf: &Conf, pod: &cni_tests::Container) -> (Conf, Snapshot) {
    let conf = conf.clone().prev(&host.attach(pod));
    host.plugin("portmap").add(&conf, pod, "eth0").result();
    host.plugin("portmap").del(&conf, pod, "eth0").done();
    (conf, host.snapshot())
}

#[test]
fn del_needs_neither_ports_nor_result_nor_netns_nor_a_sensible_configuration() {
    needs!(Iptables);
    for backend in BACKENDS {
        let host = Host::new();
        let pod = host.container("pod");
        let (full, before) = settled(&host, &conf(backend), &pod);
        let variants = [
            full.clone(),
            full.clone().remove("runtimeConfig"),
            full.clone().remove("prevResult"),
            full.clone().remove("runtimeConfig").remove("prevResult"),
            full.clone().set("backend", "iptables"),
            full.clone().remove("backend").remove("runtimeConfig"),
            full.clone().set("backend", "nonsense"),
            full.clone().set("snat", false),
            full.clone().set("runtimeConfig", json!({ "portMappings": [mapping(8080, 80, "tcp")] })),
            full.clone().set("runtimeConfig", json!({ "portMappings": [mapping(1, 1, "tcp")] })),
        ];
        for del in variants {
            host.plugin("portmap").add(&full, &pod, "eth0").result();
            assert!(!host.snapshot().since(&before).is_empty());
            host.plugin("portmap").without("CNI_NETNS").del(&del, &pod, "eth0").done();
            host.snapshot().assert_same_as(&before, &format!("DEL with {}", del.text()));
            host.plugin("portmap").del(&del, &pod, "eth0").done();
        }
    }
}

#[test]
fn gc_keeps_the_valid_and_other_networks() {
    needs!(Iptables);
    for backend in BACKENDS {
        let host = Host::new();
        let (keep, stale) = (host.container("keep"), host.container("stale"));
        let (kept, _) = settled(&host, &Conf::portmap(backend, &json!([mapping(1, 1, "tcp")])), &keep);
        host.plugin("portmap").add(&kept, &keep, "eth0").result();
        let other = host.container("other");
        let others = Conf::portmap(backend, &json!([mapping(2, 2, "tcp")])).set("name", "elsewhere");
        host.plugin("portmap").add(&others.prev(&host.attach(&other)), &other, "eth0").result();
        let conf = conf(backend).prev(&host.attach(&stale));
        let before = host.snapshot();
        host.plugin("portmap").add(&conf, &stale, "eth0").result();
        host.plugin("portmap").gc(&kept.version("1.1.0"), &[(&keep, "eth0")]).done();
        host.snapshot().assert_same_as(&before, "GC");
    }
}

#[test]
fn either_suite_removes_what_the_other_made() {
    needs!(Reference, Iptables);
    for (from, to) in [(Suite::Ours, Suite::Reference), (Suite::Reference, Suite::Ours)] {
        let host = Host::new();
        let pod = host.container("pod");
        let (conf, _) = settled(&host, &conf("iptables"), &pod);
        for suite in [from, to] {
            host.call(suite, "portmap").add(&conf, &pod, "eth0").result();
            host.call(suite, "portmap").del(&conf, &pod, "eth0").done();
        }
        let before = host.snapshot();
        host.call(from, "portmap").add(&conf, &pod, "eth0").result();
        // The reference of this age looks for the IPv4 rules among the IPv6 ones.
        host.plugin("portmap").check(&conf, &pod, "eth0").done();
        host.call(to, "portmap").del(&conf, &pod, "eth0").done();
        // The record of who has which address means nothing without a rule.
        let mut left = host.snapshot().since(&before);
        left.retain(|line| !line.starts_with("+ file /run/cni/portmap/"));
        assert_eq!(left, [""; 0], "DEL by the other suite");
    }
}

#[test]
fn what_the_reference_made_goes_without_its_ports_and_with_the_other_backend() {
    needs!(Reference, Iptables);
    let host = Host::new();
    let pod = host.container("pod");
    let (full, _) = settled(&host, &conf("iptables"), &pod);
    let before = host.snapshot();
    for conf in [full.clone().remove("runtimeConfig"), full.clone().set("backend", "nftables")] {
        host.reference("portmap").add(&full, &pod, "eth0").result();
        host.plugin("portmap").del(&conf, &pod, "eth0").done();
        host.snapshot().assert_same_as(&before, "DEL");
    }
    host.reference("portmap").add(&full, &pod, "eth0").result();
    host.plugin("portmap").gc(&full.version("1.1.0"), &[]).done();
    host.snapshot().assert_same_as(&before, "GC");
}

/// The layout of releases from 1.6 on, written with `nft`, since Debian's is older.
#[test]
fn the_references_nftables_rules_go() {
    let host = Host::new();
    let pod = host.container("pod");
    let (conf, _) = settled(&host, &conf("nftables"), &pod);
    for family in ["ip", "ip6"] {
        host.run(&format!("nft add table {family} cni_hostport"));
        for chain in ["hostports", "hostip_hostports", "masquerading"] {
            host.run(&format!("nft add chain {family} cni_hostport {chain}"));
        }
        host.run(&format!("nft add rule {family} cni_hostport hostports tcp dport 1 accept comment other"));
    }
    let before = host.snapshot();
    for family in ["ip", "ip6"] {
        for chain in ["hostports", "hostports", "hostip_hostports", "masquerading"] {
            host.run(&format!("nft add rule {family} cni_hostport {chain} tcp dport 1 accept comment pod"));
        }
    }
    host.plugin("portmap").check(&conf, &pod, "eth0").done();
    host.plugin("portmap").del(&conf.remove("runtimeConfig"), &pod, "eth0").done();
    host.snapshot().assert_same_as(&before, "DEL");
}

#[test]
fn twenty_at_once_come_and_go() {
    needs!(Iptables);
    for backend in BACKENDS {
        let host = Host::new();
        let first = host.container("first");
        settled(&host, &conf(backend), &first);
        // The first of all make the shared chains, too.
        host.run("nft flush ruleset");
        let pods: Vec<_> = (0..20).map(|n| host.container(&format!("pod{n}"))).collect();
        let confs: Vec<_> = (1000..)
            .zip(&pods)
            .map(|(port, pod)| {
                let result = json!({ "cniVersion": "1.0.0", "ips": [{ "address": format!("10.22.1.{}/16", port - 990) }] });
                (pod, Conf::portmap(backend, &json!([mapping(port, 80, "tcp")])).prev(&result))
            })
            .collect();
        std::thread::scope(|scope| {
            for (pod, conf) in &confs {
                scope.spawn(|| host.plugin("portmap").add(conf, pod, "eth0").result());
            }
        });
        for (pod, conf) in &confs {
            host.plugin("portmap").check(conf, pod, "eth0").done();
        }
        std::thread::scope(|scope| {
            for (pod, conf) in &confs {
                scope.spawn(|| host.plugin("portmap").del(conf, pod, "eth0").done());
            }
        });
        let rules = host.run("nft list ruleset");
        assert!(!rules.contains("CNI-DN-") && !rules.contains("10.22.1."), "{backend}: {rules}");
    }
}

#[test]
fn rules_of_others_stay() {
    needs!(Iptables);
    for backend in BACKENDS {
        let host = Host::new();
        let pod = host.container("pod");
        let (conf, _) = settled(&host, &conf("iptables").set("backend", backend), &pod);
        host.try_run("iptables -t nat -N CNI-HOSTPORT-DNAT");
        host.run("iptables -t nat -A CNI-HOSTPORT-DNAT -p tcp --dport 22 -j RETURN");
        let before = host.snapshot();
        host.plugin("portmap").add(&conf, &pod, "eth0").result();
        host.plugin("portmap").del(&conf, &pod, "eth0").done();
        let missing: Vec<_> =
            host.snapshot().since(&before).into_iter().filter(|l| l.starts_with('-')).collect();
        assert!(missing.is_empty(), "{backend}: {missing:?}");
    }
}

#[test]
fn names_cannot_inject_rules() {
    needs!(Iptables);
    for backend in BACKENDS {
        let host = Host::new();
        let pod = host.container("pod");
        let (conf, before) = settled(&host, &conf(backend), &pod);
        let long = "n".repeat(300);
        let id = "c".repeat(255);
        let portmap = || host.plugin("portmap").env("CNI_CONTAINERID", &id);
        for name in [long.as_str(), "A COMMIT"] {
            let conf = conf.clone().set("name", name);
            portmap().add(&conf, &pod, "eth0").error().says(7, &["network name"]);
            host.snapshot().assert_same_as(&before, name);
        }
        let valid = conf.clone().set("name", "a-b_c.d");
        portmap().add(&valid, &pod, "eth0").result();
        portmap().del(&valid, &pod, "eth0").done();
        host.snapshot().assert_same_as(&before, "a valid name and the longest container id");
        let evil = [
            "x\nCOMMIT\n*nat\n-A PREROUTING -j DROP",
            "x\" -j DROP",
            "x; flush ruleset",
            "$(touch /run/cni/evil)",
            "x\u{0}",
        ];
        for text in evil {
            let cases = [
                conf.clone().set("conditionsV4", json!(["-m", "comment", "--comment", text])),
                conf.clone().set("conditionsV4", json!(["iifname", text])),
                conf.clone().set("externalSetMarkChain", text),
                conf.clone().set("name", text),
            ];
            for conf in cases {
                let outcome = host.plugin("portmap").add(&conf, &pod, "eth0");
                // A comment may hold anything printable; then the container's DEL takes all of it along.
                if outcome.exit == Some(0) {
                    host.plugin("portmap").del(&conf, &pod, "eth0").done();
                }
                host.snapshot().assert_same_as(&before, text);
            }
        }
    }
}

/// The second ADD's result cannot be told: the runtime still has the first one's.
#[test]
fn an_add_again_that_cannot_be_told_leaves_the_first_as_it_was() {
    needs!(Iptables);
    for backend in ["nftables", "iptables"] {
        for again in [json!([mapping(8080, 80, "tcp")]), json!([])] {
            let host = Host::new();
            let (pod, conf) =
                host.publish("pod", &Conf::portmap(backend, &json!([mapping(8080, 80, "tcp")])));
            let before = host.snapshot();
            let full = ["sh", "-c", "exec \"$@\" > /dev/full", "sh"];
            let changed = conf.clone().set("runtimeConfig", json!({ "portMappings": again }));
            let outcome = host.plugin("portmap").under(&full).add(&changed, &pod, "eth0");
            assert_eq!(outcome.exit, Some(1), "{backend} {again}");
            host.snapshot().assert_same_as(&before, &format!("{backend} {again}"));
            host.plugin("portmap").check(&conf, &pod, "eth0").done();
            host.plugin("portmap").del(&conf, &pod, "eth0").done();
            assert!(!host.run("nft list ruleset").contains("10.22.0.2"), "{backend}");
        }
    }
}
