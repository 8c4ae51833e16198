//! Faults on purpose: a request of the kernel that fails, a plugin that is killed, a lock that is held. Whatever
//! happens, a failed ADD leaves nothing, and a DEL after a killed one neither.

use cni_tests::{Conf, HeldLock, Host, LIMIT, Place, Trace, needs};

/// Every step that changes something outside the process goes through one of these.
const STEPS: &str = "sendto,sendmsg,setns,openat,clone3,linkat,unlinkat,renameat";

fn cases() -> Vec<(&'static str, Conf)> {
    let bridge = Conf::dual_stack_bridge().set("isDefaultGateway", true).set("macspoofchk", true);
    vec![
        ("bridge", Conf::dual_stack_bridge().set("isGateway", true)),
        ("bridge", bridge.set("ipMasq", true).set("ipMasqBackend", "nftables")),
        ("ptp", Conf::ptp().set("ipMasq", true).set("ipMasqBackend", "nftables")),
    ]
}

/// Runs `body` with n = 1, 2, … until it says that the n-th call does not exist any more.
fn for_each_call(body: impl Fn(usize) -> bool) {
    let last = (1..500).find(|n| !body(*n)).expect("fewer than 500 calls");
    assert!(last > 5, "nothing was injected: {last}");
}

#[test]
fn an_add_whose_nth_request_is_refused_leaves_nothing() {
    needs!(Strace);
    for (plugin, conf) in cases() {
        let host = Host::new();
        host.after_one_container(plugin, &conf);
        let trace = Trace::new(&["trace=sendto"]).without_children();
        let pod = host.container("pod-00");
        host.plugin(plugin).under(&trace.command()).add(&conf, &pod, "eth0").result();
        host.plugin(plugin).del(&conf, &pod, "eth0").done();
        let before = host.snapshot();
        let requests = trace.request_lengths();
        assert!(requests.len() > 5, "{requests:?}");
        let mut refused = 0;
        for (n, length) in requests.into_iter().enumerate() {
            let trace = Trace::refusing(n + 1, length);
            let pod = host.container(&format!("pod-{:02}", n + 1));
            let outcome = host.plugin(plugin).under(&trace.command()).add(&conf, &pod, "eth0");
            if outcome.exit == Some(0) {
                // A request ADD can do without.
                host.plugin(plugin).del(&conf, &pod, "eth0").done();
            } else {
                let error = outcome.error();
                assert!(
                    pod.find_link("eth0").is_none(),
                    "{plugin}, request {n}: {error:?}\n{:?}",
                    trace.lines()
                );
                refused += 1;
            }
            host.snapshot().assert_same_as(&before, &format!("{plugin}, request {n}: {outcome:?}"));
            pod.remove_netns();
        }
        assert!(refused > 5, "{plugin}: only {refused} refusals made ADD fail");
    }
}

#[test]
fn a_del_after_an_add_that_was_killed_leaves_nothing() {
    needs!(Strace);
    for (plugin, conf) in cases() {
        let host = Host::new();
        let before = host.after_one_container(plugin, &conf);
        for_each_call(|n| {
            let trace =
                Trace::new(&[&format!("trace={STEPS}"), &format!("inject={STEPS}:signal=KILL:when={n}")]);
            let pod = host.container(&format!("pod{n}"));
            let outcome = host.plugin(plugin).under(&trace.command()).add(&conf, &pod, "eth0");
            host.plugin(plugin).without("CNI_NETNS").del(&conf, &pod, "eth0").done();
            pod.remove_netns();
            host.snapshot().assert_same_as(&before, &format!("ADD was killed at call {n}: {outcome:?}"));
            trace.lines().iter().any(|line| line.contains("killed by SIGKILL"))
        });
    }
}

#[test]
fn a_second_del_finishes_what_a_killed_one_began() {
    needs!(Strace);
    for (plugin, conf) in cases() {
        let host = Host::new();
        let before = host.after_one_container(plugin, &conf);
        for_each_call(|n| {
            let trace =
                Trace::new(&[&format!("trace={STEPS}"), &format!("inject={STEPS}:signal=KILL:when={n}")]);
            let pod = host.container(&format!("pod{n}"));
            let result = host.plugin(plugin).add(&conf, &pod, "eth0").result();
            let conf = conf.clone().prev(&result);
            host.plugin(plugin).under(&trace.command()).del(&conf, &pod, "eth0");
            host.plugin(plugin).del(&conf, &pod, "eth0").done();
            pod.remove_netns();
            host.snapshot().assert_same_as(&before, &format!("DEL was killed at call {n}"));
            trace.lines().iter().any(|line| line.contains("killed by SIGKILL"))
        });
    }
}

#[test]
fn a_gc_after_an_add_that_was_killed_leaves_nothing() {
    needs!(Strace);
    let (plugin, conf) = cases().swap_remove(1);
    let conf = conf.version("1.1.0");
    let host = Host::new();
    let before = host.after_one_container(plugin, &conf);
    for_each_call(|n| {
        let trace = Trace::new(&[&format!("trace={STEPS}"), &format!("inject={STEPS}:signal=KILL:when={n}")]);
        let pod = host.container(&format!("pod{n}"));
        host.plugin(plugin).under(&trace.command()).add(&conf, &pod, "eth0");
        pod.remove_netns();
        host.plugin(plugin).gc(&conf, &[]).done();
        host.snapshot().assert_same_as(&before, &format!("ADD was killed at call {n}"));
        trace.lines().iter().any(|line| line.contains("killed by SIGKILL"))
    });
}

#[test]
fn a_held_ipam_lock_is_an_error_that_names_the_holder() {
    let host = Host::new();
    for (plugin, conf) in [("bridge", Conf::bridge()), ("ptp", Conf::ptp())] {
        let conf = conf.set("name", plugin);
        let before = host.after_one_container(plugin, &conf);
        let lock = HeldLock::new(&format!("/var/lib/cni/networks/{plugin}/lock"));
        let pod = host.container(plugin);
        let started = std::time::Instant::now();
        let error = host.plugin(plugin).add(&conf, &pod, "eth0").error();
        error.says(11, &[&format!("/var/lib/cni/networks/{plugin}/lock"), &lock.pid().to_string()]);
        assert!(started.elapsed() < LIMIT / 2, "{:?}", started.elapsed());
        assert!(pod.find_link("eth0").is_none());
        drop(lock);
        host.snapshot().assert_same_as(&before, "an ADD that gave up");
        host.plugin(plugin).add(&conf, &pod, "eth0").result();
    }
}

#[test]
fn a_held_xtables_lock_is_an_error_that_names_the_holder() {
    needs!(LegacyIptables);
    let host = Host::new();
    // A node whose iptables is the legacy one: the only one with a lock.
    host.sh("mkdir /run/legacy && for tool in iptables ip6tables; do for act in '' -save -restore; do \
        ln -s $(command -v $tool-legacy$act) /run/legacy/$tool$act; done; done");
    let path = format!("/run/legacy:{}", std::env::var("PATH").unwrap());
    let conf = Conf::bridge().set("isGateway", true).set("ipMasq", true).set("ipMasqBackend", "iptables");
    let call = || host.plugin("bridge").env("PATH", &path);
    let first = host.container("first");
    call().add(&conf, &first, "eth0").result();
    assert!(host.run("iptables-legacy-save -t nat").contains("10.22.0.2"));
    call().del(&conf, &first, "eth0").done();
    let before = host.snapshot();
    let lock = HeldLock::new("/run/xtables.lock");
    let pod = host.container("pod");
    let error = call().add(&conf, &pod, "eth0").error();
    error.says(11, &["xtables", &lock.pid().to_string()]);
    drop(lock);
    call().del(&conf, &pod, "eth0").done();
    assert!(pod.find_link("eth0").is_none());
    host.snapshot().assert_same_as(&before, "an ADD that gave up");
}

#[test]
fn a_full_disk_leaves_nothing() {
    let host = Host::new();
    for (plugin, conf) in [("bridge", Conf::bridge()), ("ptp", Conf::ptp())] {
        let conf = conf.set("name", plugin);
        let before = host.after_one_container(plugin, &conf);
        let pod = host.container(plugin);
        host.sh(&format!("mkdir /run/{plugin} && mount -t tmpfs -o size=4k tmpfs /run/{plugin}"));
        host.try_run(&format!("dd if=/dev/zero of=/run/{plugin}/fill bs=4k count=4"));
        let full = conf.clone().ipam("dataDir", format!("/run/{plugin}"));
        let error = host.plugin(plugin).add(&full, &pod, "eth0").error();
        assert!(error.text.contains("ENOSPC") || error.text.contains("No space left"), "{error:?}");
        assert!(pod.find_link("eth0").is_none());
        host.snapshot().assert_same_as(&before, "a full disk");
    }
}
