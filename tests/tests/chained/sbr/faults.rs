//! Faults on purpose.

use std::time::Instant;

use cni_tests::{Conf, Container, HeldLock, Host, LIMIT, Place, Trace, kill_at_each_step, needs};

use crate::sbr::{dual_stack, rules, state};

fn prepared(host: &Host, hints: bool) -> (Container, Conf) {
    let (pod, conf) = dual_stack(host);
    pod.run("ip route add 10.9.0.0/16 nexthop via 10.1.0.3 nexthop via 10.1.0.4");
    pod.run("ip -6 route add 2001:db8::/32 nexthop via fd00:1::3 nexthop via fd00:1::4");
    (pod, conf.set("addSourceHints", hints))
}

/// Of the two batches the first request is refused; `bad_input.rs` has those in the middle.
#[test]
fn an_add_whose_nth_request_is_refused_gives_everything_back() {
    needs!(Strace);
    for hints in [false, true] {
        let requests = Host::fresh(|host| {
            let (pod, conf) = prepared(host, hints);
            let trace = Trace::new(&["trace=sendto"]);
            host.plugin("sbr").under(&trace.command()).add(&conf, &pod, "eth0").result();
            trace.request_lengths()
        });
        assert!(requests.len() >= 6, "{requests:?}");
        let host = Host::new();
        let (pod, conf) = prepared(&host, hints);
        let before = state(&host, &pod);
        for (n, length) in requests.into_iter().enumerate() {
            let trace = Trace::refusing(n + 1, length);
            let outcome = host.plugin("sbr").under(&trace.command()).add(&conf, &pod, "eth0");
            let error = outcome.error();
            assert_eq!(state(&host, &pod), before, "request {n}: {error:?}, {}", outcome.stderr);
            assert!(!outcome.stderr.contains("undo"), "{}", outcome.stderr);
        }
        host.plugin("sbr").add(&conf, &pod, "eth0").result();
    }
}

#[test]
fn a_killed_add_is_cleaned_up_by_del() {
    needs!(Strace);
    kill_at_each_step(|trace, when| {
        let host = Host::new();
        let (pod, conf) = dual_stack(&host);
        host.plugin("sbr").under(&trace.command()).add(&conf, &pod, "eth0");
        host.plugin("sbr").del(&conf.remove("prevResult"), &pod, "eth0").done();
        assert_eq!(rules(&pod), [""; 0], "{when}");
    });
}

#[test]
fn a_held_lock_is_an_error_that_names_the_holder() {
    let host = Host::new();
    let (pod, conf) = dual_stack(&host);
    let before = state(&host, &pod);
    let lock = HeldLock::new("/run/netns/pod");
    let started = Instant::now();
    let error = host.plugin("sbr").add(&conf, &pod, "eth0").error();
    error.says(11, &["/run/netns/pod", &lock.pid().to_string()]);
    assert!(started.elapsed() < LIMIT / 2);
    assert_eq!(state(&host, &pod), before);
    host.plugin("sbr").del(&conf, &pod, "eth0").done();
    drop(lock);
    host.plugin("sbr").add(&conf, &pod, "eth0").result();
}

/// The specification forbids it, and the reference copes with it.
#[test]
fn two_interfaces_at_once_pick_different_tables() {
    let host = Host::new();
    let pod = host.container("pod");
    let confs: Vec<_> = (0..8)
        .map(|n| {
            let (name, address) = (format!("net{n}"), format!("10.{n}.0.2/24"));
            host.pair(&pod, &format!("h-{name}"), &name, &[&address]);
            (crate::sbr::conf_of(&name, &[(&address, "")]), name)
        })
        .collect();
    std::thread::scope(|scope| {
        let (host, pod) = (&host, &pod);
        for (conf, name) in &confs {
            scope.spawn(move || host.plugin("sbr").add(conf, pod, name).result());
        }
    });
    let mut tables: Vec<_> =
        rules(&pod).iter().map(|rule| rule.rsplit(' ').next().unwrap().to_owned()).collect();
    tables.sort();
    assert_eq!(tables, (100..108).map(|table| table.to_string()).collect::<Vec<_>>());
}
