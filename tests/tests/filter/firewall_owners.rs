//! `firewall`: what belongs to an attachment goes with it, and nothing else does.

use cni_tests::{Conf, Container, Host, Place, Trace, needs};
use serde_json::{Value, json};

const BACKENDS: [&str; 2] = ["iptables", "nftables"];
const AT_ONCE: usize = 20;

fn conf(backend: &str) -> Conf {
    Conf::new(json!({ "cniVersion": "1.1.0", "name": "net", "type": "firewall", "backend": backend }))
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
        host.plugin("firewall").run("GC", conf(backend).text().as_bytes()).freed_nothing();
        host.snapshot().assert_same_as(&before, "a GC without a list");
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
            let rules: Vec<_> = host
                .run("iptables-save -t filter")
                .lines()
                .filter(|line| line.starts_with("-A"))
                .map(str::to_owned)
                .collect();
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
fn del_leaves_nothing_of_an_address_before_a_crash() {
    needs!(Iptables);
    for backend in BACKENDS {
        for told in [true, false] {
            let host = Host::new();
            settled(&host, &conf(backend));
            let before = host.snapshot();
            let pod = host.container("pod");
            add(&host, &conf(backend), &pod, 2);
            add(&host, &conf(backend), &pod, 3);
            let last = if told { with(&conf(backend), "1.1.0", 3) } else { conf(backend) };
            host.plugin("firewall").del(&last, &pod, "eth0").done();
            host.snapshot().assert_same_as(&before, &format!("{backend}: DEL, told: {told}"));
        }
    }
}

#[test]
fn an_add_again_that_fails_leaves_the_first_as_it_was() {
    needs!(Iptables);
    let host = Host::new();
    let pod = host.container("pod");
    add(&host, &conf("iptables"), &pod, 2);
    let before = host.snapshot();
    host.run("mkdir -p /run/tools");
    host.sh("printf '#!/bin/sh\\nexit 1\\n' > /run/tools/ip6tables-restore");
    host.run("chmod 755 /run/tools/ip6tables-restore");
    let call = || host.plugin("firewall").env("PATH", "/run/tools:/usr/sbin:/usr/bin:/bin");
    let more = |n: usize| {
        let mut result = result("1.1.0", 2);
        let ip = |text: String| json!({ "interface": 2, "address": text });
        let ips = result["ips"].as_array_mut().unwrap();
        ips.extend([ip(format!("10.22.0.{n}/24")), ip(format!("fd00:22::{n}/64"))]);
        conf("iptables").prev(&result)
    };
    call().add(&more(9), &pod, "eth0").error().says(101, &["ip6tables"]);
    host.snapshot().assert_same_as(&before, "an ADD with one more address");
    host.plugin("firewall").check(&with(&conf("iptables"), "1.1.0", 2), &pod, "eth0").done();
}

/// The second ADD's result cannot be told: the runtime still has the first one's.
#[test]
fn an_add_again_that_cannot_be_told_leaves_the_first_as_it_was() {
    needs!(Iptables);
    for backend in BACKENDS {
        let host = Host::new();
        let pod = host.container("pod");
        let again = || {
            let full = ["sh", "-c", "exec \"$@\" > /dev/full", "sh"];
            let call = host.plugin("firewall").under(&full);
            assert_eq!(call.add(&with(&conf(backend), "1.1.0", 2), &pod, "eth0").exit, Some(1), "{backend}");
        };
        settled(&host, &conf(backend));
        let none = host.snapshot();
        again();
        host.snapshot().assert_same_as(&none, &format!("{backend}: the first"));
        add(&host, &conf(backend), &pod, 2);
        let before = host.snapshot();
        again();
        host.snapshot().assert_same_as(&before, &format!("{backend}: the second"));
        host.plugin("firewall").check(&with(&conf(backend), "1.1.0", 2), &pod, "eth0").done();
        host.plugin("firewall").del(&with(&conf(backend), "1.1.0", 2), &pod, "eth0").done();
        host.snapshot().assert_same_as(&none, &format!("{backend}: DEL"));
    }
}

#[test]
fn lock_and_records_are_roots_and_drafts_do_not_stay() {
    needs!(Iptables, Strace);
    let host = Host::new();
    let (pod, other) = (host.container("pod"), host.container("other"));
    // As an earlier release made it.
    host.sh("umask 022 && mkdir -p /run/cni/firewall && : > /run/cni/firewall/lock");
    let unmasked = ["sh", "-c", "umask 0 && exec \"$@\"", "sh"];
    let added = host.plugin("firewall").under(&unmasked);
    added.add(&with(&conf("iptables"), "1.1.0", 2), &pod, "eth0").result();
    let loose = "find /run/cni/firewall -type f ! -perm 0600";
    assert_eq!(host.run(loose), "");
    let files = || host.run("find /run/cni/firewall -type f");
    let before = files();
    for fault in ["signal=KILL", "error=EIO"] {
        let inject = format!("inject=rename,renameat,renameat2:{fault}");
        let trace = Trace::new(&["trace=rename,renameat,renameat2", &inject]);
        let call = host.plugin("firewall").under(&trace.command());
        let outcome = call.add(&with(&conf("iptables"), "1.1.0", 3), &other, "eth0");
        assert_ne!(outcome.exit, Some(0), "{fault}");
        if fault == "signal=KILL" {
            assert_ne!(files(), before, "killed in front of the rename");
            host.plugin("firewall").del(&conf("iptables"), &other, "eth0").done();
        }
        assert_eq!(files(), before, "{fault}");
    }
}
