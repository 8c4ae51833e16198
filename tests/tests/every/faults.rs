//! Faults on purpose: a request of the kernel that fails, a plugin that is killed, a lock that is held. Whatever
//! happens, a failed ADD leaves nothing, and a DEL after a killed one neither.

use cni_tests::{Case, Conf, HeldLock, Host, Place, Trace, needs};

fn cases() -> Vec<Case> {
    let bridge = Conf::dual_stack_bridge().set("isDefaultGateway", true).set("macspoofchk", true);
    vec![
        Case::new("bridge", Conf::dual_stack_bridge().set("isGateway", true)),
        Case::new("bridge", bridge.set("ipMasq", true).set("ipMasqBackend", "nftables")),
        Case::new("ptp", Conf::ptp().set("ipMasq", true).set("ipMasqBackend", "nftables")),
    ]
}

#[test]
fn an_add_whose_nth_request_is_refused_leaves_nothing() {
    needs!(Strace);
    cases().iter().for_each(Case::refuse_each_request);
}

#[test]
fn a_namespace_that_cannot_be_entered_is_one_error_and_leaves_nothing() {
    needs!(Strace);
    cases().iter().for_each(Case::refuse_each_visit);
}

/// Every plugin's STATUS that tries things out does so in a namespace that it makes, or cannot make, for that.
#[test]
fn a_status_that_cannot_make_a_namespace_says_so() {
    needs!(Strace);
    let host = Host::new();
    for plugin in ["bridge", "ptp", "tap", "bandwidth"] {
        let conf = Conf::bridge().version("1.1.0").set("type", plugin);
        host.plugin(plugin).status(&conf).done();
        host.forget_status();
        let refused = Trace::new(&["trace=unshare", "inject=unshare:error=EPERM"]);
        let error = host.plugin(plugin).under(&refused.command()).status(&conf).error();
        error.says(50, &["cannot make a network namespace", "EPERM"]);
        // There is no way back that could fail.
        let refused = Trace::new(&["trace=setns", "inject=setns:error=EPERM"]);
        host.plugin(plugin).under(&refused.command()).status(&conf).done();
        host.forget_status();
    }
}

#[test]
fn a_del_after_an_add_that_was_killed_leaves_nothing() {
    needs!(Strace);
    cases().iter().for_each(Case::kill_each_step_of_add);
}

#[test]
fn a_second_del_finishes_what_a_killed_one_began() {
    needs!(Strace);
    cases().iter().for_each(Case::kill_each_step_of_del);
}

#[test]
fn a_gc_after_an_add_that_was_killed_leaves_nothing() {
    needs!(Strace);
    cases()[1].kill_each_step_of_add_before_gc();
}

#[test]
fn a_held_ipam_lock_is_an_error_that_names_the_holder() {
    cases()[1..].iter().for_each(Case::hold_the_ipam_lock);
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
    cases().iter().for_each(Case::fill_the_disk);
}
