//! `cnitool gc` and `restore` that end at any call, or are refused one: nothing of the living is lost, and the next
//! finishes.

use std::fs;

use cni_tests::{Host, Place, Trace, needs};

use crate::kit::{attach, done, full_chain, id, network, under};
use crate::restore::State;

/// Calls that each process makes that is run.
const SOME: [usize; 4] = [1, 3, 8, 21];

/// Runs `body` with a trace that has the n-th call of each process go wrong, and a text that says which: for some, or
/// with
/// `CNI_TEST_EVERY_CALL` for every one there is. Gives how many went wrong.
fn at_calls(call: &str, fault: &str, body: impl Fn(&Trace, &str)) -> usize {
    let is_hit = |n: &usize| {
        let trace = Trace::new(&[&format!("trace={call}"), &format!("inject={call}:{fault}:when={n}")]);
        body(&trace, &format!("{call} {n}: {fault}"));
        trace.lines().iter().any(|line| line.contains("INJECTED") || line.contains("killed by SIGKILL"))
    };
    match std::env::var_os("CNI_TEST_EVERY_CALL") {
        Some(_) => (1..1000).take_while(is_hit).count(),
        None => SOME.iter().take_while(|n| is_hit(n)).count(),
    }
}

#[test]
fn a_gc_that_ends_anywhere_is_finished_by_the_next() {
    needs!(Strace);
    let host = &Host::new();
    network("net", "1.1.0", &full_chain("nftables"));
    let alive = attach(host, "net", "alive", 8080);
    let before = State::of(host);
    fs::write("/run/list", format!("{}\n", id(host, &alive))).unwrap();
    let gc = ["gc", "--keep", "file=/run/list", "--yes"];
    let mut hits = 0;
    for (call, fault) in [
        ("sendto", "signal=KILL"),
        ("sendto", "error=ENOMEM"),
        ("unlink", "signal=KILL"),
        ("unlink", "error=EIO"),
        ("clone,clone3,vfork", "error=EAGAIN"),
    ] {
        hits += at_calls(call, fault, |trace, when| {
            let dead = attach(host, "net", "dead", 8081);
            dead.run("ip link delete eth0");
            dead.remove_netns();
            under(host, trace, &gc);
            done(host, &["check", "net", alive.netns().to_str().unwrap()]);
            done(host, &gc);
            before.assert_is(host, &format!("{when}, and another GC"));
        });
    }
    assert!(hits > 6, "only {hits} calls went wrong");
}

/// One is put back alone, the others together.
#[test]
fn a_restore_that_ends_anywhere_is_finished_by_the_next() {
    needs!(Strace);
    let host = &Host::new();
    network("net", "1.1.0", &full_chain("nftables"));
    let pods = ["a", "b", "c"].map(|name| attach(host, "net", name, 8080 + u16::from(name.as_bytes()[0])));
    let before = State::of(host);
    let mut hits = 0;
    for (call, fault) in [
        ("sendto", "signal=KILL"),
        ("sendto", "error=ENOMEM"),
        ("rename", "signal=KILL"),
        ("clone3", "error=EAGAIN"),
        ("setns", "error=EPERM"),
    ] {
        hits += at_calls(call, fault, |trace, when| {
            host.run("nft flush ruleset");
            under(host, trace, &["restore"]);
            assert!(pods.iter().all(|pod| pod.find_link("eth0").is_some()), "{when}");
            done(host, &["restore"]);
            before.assert_is(host, &format!("{when}, and restored"));
        });
    }
    assert!(hits > 8, "only {hits} calls went wrong");
}
