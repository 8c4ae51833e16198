//! The daemon killed and refused at each step, without descriptors, without a disk.

use cni_tests::{DHCP_SOCKET, Host, Outcome, Place, Service, Suite, activated, listener, needs};

use crate::life::open_files;
use crate::{IMPATIENT, STATE, add, address, address_monitor, conf, del, kea, records, server};

/// A daemon in which the `n`th call of `syscall` has the fault. It is activated by its socket, so that there is no need
/// to wait for what it may not live to say.
fn faulty(host: &Host, syscall: &str, fault: &str, n: usize) -> Service {
    let inject = format!("inject={syscall}:{fault}:when={n}");
    let trace = format!("trace={syscall}");
    let mut command = host.command("strace");
    // The daemon itself is our child, not strace.
    command.args(["-D", "-f", "-qq", "-o", TRACE, "-e", &trace, "-e", &inject]);
    let daemon = host.dhcp_daemon_command(Suite::Ours, &IMPATIENT);
    command.arg(daemon.get_program()).args(daemon.get_args());
    Service::start(&mut activated(listener(DHCP_SOCKET), &command))
}

/// How many calls have been refused so far.
fn refusals() -> usize {
    std::fs::read_to_string(TRACE).unwrap().matches("INJECTED").count()
}

const TRACE: &str = "/run/cni-tests/daemon-trace";

/// Runs `body` on a fresh host with n = 1, 2, … until it says that there is no `n`th call.
fn at_each_step(body: impl Fn(&Host, usize) -> bool + Sync) {
    let steps = (1..).take_while(|n| Host::fresh(|host| body(host, *n))).count();
    assert!((1..100).contains(&steps), "{steps} steps");
}

#[test]
fn killed_at_any_step_of_an_add_it_leaves_no_lease() {
    needs!(Kea, Strace);
    for syscall in ["sendto", "rename", "setns"] {
        at_each_step(|host, n| {
            let kea = kea(&server(host), [600, 300, 500]);
            let daemon = faulty(host, syscall, "signal=KILL", n);
            let pod = host.container("pod");
            let outcome = host.plugin("bridge").add(&conf(), &pod, "eth0");
            let was_killed = !daemon.end("TERM").success();
            if outcome.exit != Some(0) {
                outcome.error().says(11, &["/run/cni/dhcp.sock"]);
                assert!(pod.find_link("eth0").is_none(), "{syscall} {n}");
            }
            del(host, &pod);
            let _daemon = host.dhcp_daemon(&[]);
            kea.holds(&[]);
            assert_eq!(records(), 0, "{syscall} {n}");
            let result = add(host, &pod);
            kea.holds(&[address(&result)]);
            was_killed
        });
    }
}

#[test]
fn refused_at_any_step_it_goes_on_and_says_so() {
    needs!(Kea, Strace);
    for (syscall, fault) in [
        ("sendto", "error=ENOBUFS"),
        ("socket", "error=EMFILE"),
        ("rename", "error=ENOSPC"),
        ("bind", "error=ENOBUFS"),
    ] {
        at_each_step(|host, n| {
            let kea = kea(&server(host), [600, 300, 500]);
            let daemon = faulty(host, syscall, fault, n);
            let pod = host.container("pod");
            let outcome = host.plugin("bridge").add(&conf(), &pod, "eth0");
            if outcome.exit != Some(0) {
                outcome.error();
                assert!(pod.find_link("eth0").is_none(), "{syscall} {n}");
            }
            del(host, &pod);
            assert_eq!(records(), 0, "{syscall} {n}");
            // Nobody answers a release: one that could not be sent is told, and the lease runs out by itself.
            if daemon.count(&["the server keeps it"]) == 0 {
                kea.holds(&[]);
            }
            let refused = refusals();
            let again = host.plugin("bridge").add(&conf(), &pod, "eth0");
            // Not by SIGTERM: the refused call may be the one by which the runtime tells itself of a signal.
            let ended = daemon.end("KILL");
            // strace counts for each thread anew: what is done inside a namespace is refused every time.
            let once = refusals() == refused;
            if refused > 0 && once && ended.code().is_none() {
                kea.holds(&[address(&again.result())]);
            } else if refused > 0 && !once {
                assert!(ended.code().is_none(), "it has not ended by itself: {syscall} {n}");
                del(host, &pod);
                let _daemon = host.dhcp_daemon(&[]);
                kea.holds(&[address(&add(host, &pod))]);
            }
            refused > 0
        });
    }
}

#[test]
fn few_descriptors_stop_it_only_while_they_are_few() {
    needs!(Kea);
    let host = Host::new();
    let kea = kea(&server(&host), [600, 300, 500]);
    let daemon = host.dhcp_daemon_under(&["prlimit", "--nofile=20:20"], &IMPATIENT);
    let pods: Vec<_> = (0..30).map(|n| host.container(&format!("pod{n}"))).collect();
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let adding = pods.iter().map(|pod| scope.spawn(|| host.plugin("bridge").add(&conf(), pod, "eth0")));
        let adding: Vec<_> = adding.collect();
        adding.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (got, refused): (Vec<_>, Vec<_>) = outcomes.iter().partition(|outcome| outcome.exit == Some(0));
    refused.iter().for_each(|outcome| drop(outcome.error()));
    kea.holds_count(got.len());
    pods.iter().for_each(|pod| del(&host, pod));
    kea.holds(&[]);
    let result = add(&host, &pods[0]);
    kea.holds(&[address(&result)]);
    assert!(daemon.end("TERM").success());
}

#[test]
fn checks_cost_no_descriptors() {
    needs!(Kea);
    let host = Host::new();
    let kea = kea(&server(&host), [600, 300, 500]);
    let daemon = host.dhcp_daemon(&[]);
    let pod = host.container("pod");
    let prev = conf().prev(&add(&host, &pod));
    host.plugin("dhcp").check(&prev, &pod, "eth0").done();
    let before = open_files(&daemon);
    for _ in 0..300 {
        host.plugin("dhcp").check(&prev, &pod, "eth0").done();
    }
    // The last connection may be open still.
    assert!(open_files(&daemon) <= before + 1, "{before} before");
    assert_eq!((kea.received("DHCPDISCOVER"), kea.received("DHCPREQUEST")), (1, 1));
}

#[test]
fn leases_are_renewed_when_they_cannot_be_written_down() {
    needs!(Kea);
    let host = Host::new();
    let kea = kea(&server(&host), [4, 1, 3]);
    let _daemon = host.dhcp_daemon(&[]);
    let pod = host.container("pod");
    let result = add(&host, &pod);
    let monitor = address_monitor(&pod);
    host.run(&format!("mount --bind {STATE} {STATE}"));
    host.run(&format!("mount -o remount,bind,ro {STATE}"));
    kea.nth_received(kea.received("DHCPREQUEST") + 6, "DHCPREQUEST");
    assert_eq!((kea.received("DHCPDISCOVER"), monitor.count(&["Deleted", address(&result)])), (1, 0));
    host.run(&format!("umount {STATE}"));
    del(&host, &pod);
    kea.holds(&[]);
    assert_eq!(records(), 0);
}
