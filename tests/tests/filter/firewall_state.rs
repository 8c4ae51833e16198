//! `firewall`: what it leaves on the host, text by text, and who removes it.

use cni_tests::{Call, Conf, Container, Host, Place, Suite, Trace, needs};
use serde_json::{Value, json};

const BACKENDS: [&str; 2] = ["iptables", "nftables"];

fn conf(backend: &str) -> Conf {
    Conf::new(json!({ "cniVersion": "1.1.0", "name": "net", "type": "firewall", "backend": backend }))
}

/// The version Debian's release of the reference knows.
fn old(backend: &str) -> Conf {
    conf(backend).version("1.0.0")
}

/// The result of a bridge plugin for the n-th container, without its interfaces being there: the packet filter does not
/// look at them.
fn result(version: &str, n: usize) -> Value {
    json!({
        "cniVersion": version,
        "interfaces": [{ "name": "br0" }, { "name": "veth1" }, { "name": "eth0", "sandbox": "/run/netns/pod" }],
        "ips": [
            { "interface": 2, "address": format!("10.22.0.{n}/24"), "gateway": "10.22.0.1" },
            { "interface": 2, "address": format!("fd00:22::{n}/64") },
        ],
    })
}

fn with(conf: &Conf, version: &str, n: usize) -> Conf {
    conf.clone().prev(&result(version, n))
}

fn add(host: &Host, conf: &Conf, pod: &Container, n: usize) {
    host.plugin("firewall").add(&with(conf, "1.1.0", n), pod, "eth0").result();
}

fn saved(host: &Host, tool: &str) -> Vec<String> {
    let rules = host.run(&format!("{tool}-save -t filter"));
    rules.lines().filter(|line| line.starts_with("-A")).map(str::to_owned).collect()
}

#[test]
fn iptables_rules_have_the_references_text() {
    needs!(Iptables);
    let host = Host::new();
    let pod = host.container("pod");
    let conf = conf("iptables").set("ingressPolicy", "same-bridge");
    let d = r#"-m comment --comment "CNI firewall plugin rules (ingressPolicy: same-bridge|isolated)""#;
    let p = r#"-m comment --comment "CNI firewall plugin rules (ingressPolicy: same-bridge)""#;
    // Once and once more: nothing is doubled.
    for _ in 0..2 {
        add(&host, &conf, &pod, 2);
        for (tool, ip) in [("iptables", "10.22.0.2/32"), ("ip6tables", "fd00:22::2/128")] {
            let expected = [
                format!("-A FORWARD {d} -j CNI-ISOLATION-STAGE-1"),
                r#"-A FORWARD -m comment --comment "CNI firewall plugin rules" -j CNI-FORWARD"#.to_owned(),
                r#"-A CNI-FORWARD -m comment --comment "CNI firewall plugin admin overrides" -j CNI-ADMIN"#
                    .to_owned(),
                format!("-A CNI-FORWARD -d {ip} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"),
                format!("-A CNI-FORWARD -s {ip} -j ACCEPT"),
                format!("-A CNI-ISOLATION-STAGE-1 -i br0 ! -o br0 {p} -j CNI-ISOLATION-STAGE-2"),
                format!("-A CNI-ISOLATION-STAGE-1 {d} -j RETURN"),
                format!("-A CNI-ISOLATION-STAGE-2 -o br0 {d} -j DROP"),
                format!("-A CNI-ISOLATION-STAGE-2 {d} -j RETURN"),
            ];
            assert_eq!(saved(&host, tool), expected);
        }
    }
    add(&host, &conf.set("ingressPolicy", "isolated"), &pod, 2);
    let isolated = r#"-A CNI-ISOLATION-STAGE-1 -i br0 -o br0 -m comment --comment "CNI firewall plugin rules (ingressPolicy: isolated)" -j DROP"#;
    assert_eq!(saved(&host, "iptables").iter().filter(|line| *line == isolated).count(), 1);
}

#[test]
fn one_family_is_enough() {
    needs!(Iptables);
    for backend in BACKENDS {
        Host::fresh(|host| {
            let pod = host.container("pod");
            let mut only_v4 = result("1.1.0", 2);
            only_v4["ips"].as_array_mut().unwrap().pop();
            let conf = conf(backend).set("ingressPolicy", "same-bridge").prev(&only_v4);
            // A host without ip6tables.
            host.run("mkdir /run/tools");
            host.run("cp /usr/sbin/xtables-nft-multi /run/tools/");
            for tool in ["iptables-restore", "iptables-save"] {
                host.run(&format!("ln -s xtables-nft-multi /run/tools/{tool}"));
            }
            host.run("mount -t tmpfs none /usr/sbin");
            let call = || host.plugin("firewall").env("PATH", "/run/tools:/usr/bin:/bin");
            call().status(&conf).done();
            call().add(&conf, &pod, "eth0").result();
            call().check(&conf, &pod, "eth0").done();
            call().del(&conf, &pod, "eth0").done();
        });
    }
}

#[test]
fn handover_to_and_from_the_reference() {
    needs!(Reference, Iptables);
    for (from, to) in [(Suite::Reference, Suite::Ours), (Suite::Ours, Suite::Reference)] {
        for policy in ["open", "same-bridge"] {
            let host = Host::new();
            let conf = with(&old("iptables").set("ingressPolicy", policy), "1.0.0", 2);
            for suite in [from, to] {
                let pod = host.container("first");
                host.call(suite, "firewall").add(&conf, &pod, "eth0").result();
                host.call(suite, "firewall").del(&conf, &pod, "eth0").done();
                pod.remove_netns();
            }
            let before = rules(&host);
            let pod = host.container("pod");
            host.call(from, "firewall").add(&conf, &pod, "eth0").result();
            let with_pod = rules(&host);
            assert_ne!(with_pod, before);
            host.call(to, "firewall").check(&conf, &pod, "eth0").done();
            host.call(to, "firewall").add(&conf, &pod, "eth0").result();
            assert_eq!(rules(&host), with_pod, "{policy}: either suite knows the other's rules");
            host.call(to, "firewall").del(&conf, &pod, "eth0").done();
            assert_eq!(rules(&host), before, "{policy}: DEL by the other suite");
        }
    }
}

fn rules(host: &Host) -> Vec<String> {
    ["iptables", "ip6tables"].iter().flat_map(|tool| saved(host, tool)).collect()
}

#[test]
fn legacy_rules_are_made_once_and_removed() {
    needs!(LegacyIptables, Iptables);
    let host = Host::new();
    let conf = conf("iptables").set("ingressPolicy", "same-bridge");
    host.run("mkdir /run/legacy");
    for tool in ["iptables-restore", "ip6tables-restore", "iptables-save", "ip6tables-save"] {
        host.run(&format!("ln -s /usr/sbin/xtables-legacy-multi /run/legacy/{tool}"));
    }
    let call = || host.plugin("firewall").env("PATH", "/run/legacy:/usr/sbin:/usr/bin:/bin");
    let legacy = || ["iptables-legacy", "ip6tables-legacy"].map(|tool| saved(&host, tool));
    let (pod, other) = (host.container("pod"), host.container("other"));
    call().add(&with(&conf, "1.1.0", 2), &pod, "eth0").result();
    let once = legacy();
    assert_eq!(once.each_ref().map(Vec::len), [9, 9], "{once:?}");
    assert_eq!(rules(&host), Vec::<String>::new(), "nothing in nf_tables");
    call().add(&with(&conf, "1.1.0", 2), &pod, "eth0").result();
    assert_eq!(legacy(), once);
    call().check(&with(&conf, "1.1.0", 2), &pod, "eth0").done();
    call().add(&with(&conf, "1.1.0", 3), &other, "eth0").result();
    // The host has switched to iptables-nft meanwhile.
    host.plugin("firewall").del(&conf, &other, "eth0").done();
    assert_eq!(legacy(), once);
    call().del(&conf, &pod, "eth0").done();
    assert!(legacy().iter().all(|rules| rules.len() == 7), "{:?}", legacy());
}

#[test]
fn check_names_what_is_missing_and_add_repairs_it() {
    needs!(Iptables);
    for (backend, damage, text) in [
        ("iptables", "nft flush ruleset", "CNI-FORWARD"),
        ("iptables", "iptables -F", "CNI-FORWARD"),
        ("iptables", "iptables -F FORWARD", "FORWARD"),
        ("iptables", "ip6tables -F CNI-FORWARD", "fd00:22::2/128"),
        ("iptables", "iptables -D CNI-FORWARD -s 10.22.0.2 -j ACCEPT", "-s 10.22.0.2/32 -j ACCEPT"),
        ("iptables", "iptables -F CNI-ISOLATION-STAGE-2", "CNI-ISOLATION-STAGE-2"),
        ("nftables", "nft flush ruleset", "cni_firewall"),
        ("nftables", "nft flush chain inet cni_firewall forward", "forward"),
        ("nftables", "nft flush chain inet cni_firewall admins", "CNI-ADMIN"),
        ("nftables", "nft delete element inet cni_firewall pods6 { fd00:22::2 }", "fd00:22::2"),
        ("nftables", "nft flush set inet cni_firewall bridges", "br0"),
    ] {
        let host = Host::new();
        let pod = host.container("pod");
        let conf = with(&conf(backend).set("ingressPolicy", "same-bridge"), "1.1.0", 2);
        host.plugin("firewall").add(&conf, &pod, "eth0").result();
        let before = host.snapshot();
        host.plugin("firewall").check(&conf, &pod, "eth0").done();
        host.snapshot().assert_same_as(&before, "CHECK");
        host.run(damage);
        host.plugin("firewall").check(&conf, &pod, "eth0").error().says(103, &[text, "pod"]);
        host.plugin("firewall").add(&conf, &pod, "eth0").result();
        host.plugin("firewall").check(&conf, &pod, "eth0").done();
        host.snapshot().assert_same_as(&before, &format!("ADD after {damage}"));
    }
}

#[test]
fn an_add_runs_one_tool_per_family_or_none_and_removing_none() {
    needs!(Iptables, Strace);
    for (backend, tools) in [("iptables", 2), ("nftables", 0)] {
        let host = Host::new();
        let pod = host.container("pod");
        let conf = with(&conf(backend), "1.1.0", 2);
        let started = |verb: &dyn Fn(Call)| {
            let trace = Trace::new(&["trace=execve"]);
            verb(host.plugin("firewall").under(&trace.command()));
            // The first is strace starting the plugin itself.
            trace.lines().iter().filter(|line| line.contains("execve(")).count() - 1
        };
        let add = |call: Call| drop(call.add(&conf, &pod, "eth0").result());
        assert_eq!(started(&add), tools, "{backend}");
        assert_eq!(started(&add), 0, "{backend}: nothing was missing");
        assert_eq!(started(&|call| call.del(&conf, &pod, "eth0").done()), 0, "{backend}: DEL");
    }
}
