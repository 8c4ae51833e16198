//! `firewall`: what it leaves on the host, text by text, and who removes it.

use cni_tests::{Call, Conf, Container, Host, Place, Trace, needs};
use serde_json::{Value, json};

const BACKENDS: [&str; 2] = ["iptables", "nftables"];
const AT_ONCE: usize = 20;

type Suite = fn(&Host) -> Call;
const OURS: Suite = |host| host.plugin("firewall");
const REFERENCE: Suite = |host| host.reference("firewall");

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

/// What one attachment leaves for good is there.
fn settled(host: &Host, conf: &Conf) {
    let first = host.container("first");
    add(host, conf, &first, 200);
    host.plugin("firewall").del(conf, &first, "eth0").done();
    first.remove_netns();
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
        let host = Host::new();
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
    }
}

#[test]
fn handover_to_and_from_the_reference() {
    needs!(Reference, Iptables);
    for (from, to) in [(REFERENCE, OURS), (OURS, REFERENCE)] {
        for policy in ["open", "same-bridge"] {
            let host = Host::new();
            let conf = with(&old("iptables").set("ingressPolicy", policy), "1.0.0", 2);
            for suite in [from, to] {
                let pod = host.container("first");
                suite(&host).add(&conf, &pod, "eth0").result();
                suite(&host).del(&conf, &pod, "eth0").done();
                pod.remove_netns();
            }
            let before = rules(&host);
            let pod = host.container("pod");
            from(&host).add(&conf, &pod, "eth0").result();
            let with_pod = rules(&host);
            assert_ne!(with_pod, before);
            to(&host).check(&conf, &pod, "eth0").done();
            to(&host).add(&conf, &pod, "eth0").result();
            assert_eq!(rules(&host), with_pod, "{policy}: either suite knows the other's rules");
            to(&host).del(&conf, &pod, "eth0").done();
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
fn del_needs_no_result_and_leaves_others_alone() {
    needs!(Iptables);
    for backend in BACKENDS {
        let host = Host::new();
        settled(&host, &conf(backend));
        let (pod, other) = (host.container("pod"), host.container("other"));
        add(&host, &conf(backend), &other, 3);
        // Somebody else's rules about the same address.
        host.try_run("iptables -N CNI-FORWARD");
        host.run("iptables -A CNI-FORWARD -s 10.22.0.2 -p tcp -j ACCEPT");
        host.run("iptables -A CNI-FORWARD -s 10.22.0.0/30 -j ACCEPT");
        let before = host.snapshot();
        add(&host, &conf(backend), &pod, 2);
        assert_ne!(host.snapshot(), before);
        // The configuration has changed to nonsense meanwhile.
        let changed = conf("pf").set("ingressPolicy", 7);
        host.plugin("firewall").without("CNI_NETNS").del(&changed, &pod, "eth0").done();
        host.snapshot().assert_same_as(&before, "DEL");
        host.plugin("firewall").del(&changed, &pod, "eth0").done();
        host.snapshot().assert_same_as(&before, "the second DEL");
    }
}

#[test]
fn an_address_of_a_dead_owner_is_taken_over_and_the_late_del_spares_the_new_one() {
    needs!(Iptables);
    for backend in BACKENDS {
        let host = Host::new();
        let (dead, pod) = (host.container("dead"), host.container("pod"));
        add(&host, &conf(backend), &dead, 2);
        add(&host, &conf(backend), &pod, 2);
        for late in [conf(backend), with(&conf(backend), "1.1.0", 2)] {
            host.plugin("firewall").del(&late, &dead, "eth0").done();
            host.plugin("firewall").check(&with(&conf(backend), "1.1.0", 2), &pod, "eth0").done();
        }
    }
}

#[test]
fn gc_removes_by_network_what_is_not_valid() {
    needs!(Iptables);
    for backend in BACKENDS {
        let host = Host::new();
        settled(&host, &conf(backend));
        let pods = ["keep", "dead", "foreign"].map(|id| host.container(id));
        add(&host, &conf(backend), &pods[0], 2);
        add(&host, &conf(backend).set("name", "other"), &pods[2], 4);
        let before = host.snapshot();
        add(&host, &conf(backend), &pods[1], 3);
        host.plugin("firewall").add(&with(&conf(backend), "1.1.0", 5), &pods[0], "eth1").result();
        // GC does not go by what the configuration says now.
        let changed = conf(if backend == "iptables" { "nftables" } else { "iptables" });
        host.plugin("firewall").gc(&changed, &[(&pods[0], "eth0")]).done();
        host.snapshot().assert_same_as(&before, "GC");
        host.plugin("firewall")
            .run("GC", conf(backend).text().as_bytes())
            .error()
            .says(7, &["valid-attachments"]);
        host.snapshot().assert_same_as(&before, "a GC without a list");
    }
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
fn many_at_once_leave_nothing_and_double_nothing() {
    needs!(Iptables);
    for backend in BACKENDS {
        let host = Host::new();
        let conf = conf(backend).set("ingressPolicy", "same-bridge");
        let pods: Vec<_> = (0..AT_ONCE).map(|n| host.container(&format!("racer{n}"))).collect();
        let all = |act: &(dyn Fn(usize, &Container) + Sync)| {
            std::thread::scope(|scope| {
                for (n, pod) in pods.iter().enumerate() {
                    scope.spawn(move || act(n + 2, pod));
                }
            });
        };
        all(&|n, pod| add(&host, &conf, pod, n));
        if backend == "iptables" {
            let rules = saved(&host, "iptables");
            assert_eq!(rules.len(), 7 + 2 * AT_ONCE, "{rules:#?}");
        }
        all(&|n, pod| host.plugin("firewall").check(&with(&conf, "1.1.0", n), pod, "eth0").done());
        all(&|_, pod| host.plugin("firewall").del(&conf, pod, "eth0").done());
        let left = host.snapshot();
        assert_eq!(left.lines_with("racer"), Vec::<&str>::new());
        for address in ["10.22.0.", "fd00:22::"] {
            assert_eq!(left.lines_with(address), Vec::<&str>::new());
        }
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
