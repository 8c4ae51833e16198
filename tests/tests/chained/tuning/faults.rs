//! Faults on purpose.

use cni_tests::{Host, Place, Trace, kill_at_each_step, needs};
use serde_json::json;

use crate::tuning::{attached, attributes, conf, everything};

#[test]
fn an_add_whose_nth_request_is_refused_changes_nothing() {
    needs!(Strace);
    let host = Host::new();
    let (pod, conf) = attached(&host);
    let conf = everything(conf).set("sysctl", json!({ "net.core.somaxconn": "99" }));
    let trace = Trace::new(&["trace=sendto"]);
    host.plugin("tuning").under(&trace.command()).add(&conf, &pod, "eth0").result();
    host.plugin("tuning").del(&conf, &pod, "eth0").done();
    pod.run("sysctl -w net.core.somaxconn=4096");
    let state = || (host.snapshot(), attributes(&pod), pod.sysctl("core/somaxconn"));
    let before = state();
    let requests = trace.request_lengths();
    assert_eq!(requests.len(), 6, "a look-up and five attributes");
    for (n, length) in requests.into_iter().enumerate() {
        let trace = Trace::refusing(n + 1, length);
        host.plugin("tuning").under(&trace.command()).add(&conf, &pod, "eth0").error();
        let after = state();
        after.0.assert_same_as(&before.0, &format!("request {n}"));
        assert_eq!((after.1, after.2), (before.1.clone(), before.2.clone()), "request {n}");
    }
}

#[test]
fn a_namespace_that_cannot_be_entered_changes_nothing() {
    needs!(Strace);
    let host = Host::new();
    let (pod, conf) = attached(&host);
    let conf = everything(conf).set("sysctl", json!({ "net.core.somaxconn": "99" }));
    let before = (attributes(&pod), pod.sysctl("core/somaxconn"));
    // Each thread's first time; then there is no second, which would be a way back.
    for n in 1..4 {
        let trace = Trace::new(&["trace=setns", &format!("inject=setns:error=EPERM:when={n}")]);
        let outcome = host.plugin("tuning").under(&trace.command()).add(&conf, &pod, "eth0");
        if n == 1 {
            outcome.error().says(8, &["/run/netns/pod", "EPERM"]);
            assert_eq!((attributes(&pod), pod.sysctl("core/somaxconn")), before);
        } else {
            outcome.result();
            host.plugin("tuning").del(&conf, &pod, "eth0").done();
        }
    }
    // The second sysctl is refused: the first goes back.
    pod.run("sysctl -w net.core.somaxconn=4096");
    let conf = conf.set("sysctl", json!({ "net.core.somaxconn": "99", "net.ipv4.ip_forward": "none" }));
    host.plugin("tuning").add(&conf, &pod, "eth0").error();
    assert_eq!(pod.sysctl("core/somaxconn"), "4096");
}

#[test]
fn a_killed_add_is_undone_by_del_and_by_gc() {
    needs!(Strace);
    for by_gc in [false, true] {
        kill_at_each_step(|trace, when| {
            let host = Host::new();
            let (pod, conf) = attached(&host);
            let conf = conf.version("1.1.0").prev(&json!({ "cniVersion": "1.1.0" }));
            let before = attributes(&pod);
            host.plugin("tuning").under(&trace.command()).add(&everything(conf.clone()), &pod, "eth0");
            if by_gc {
                host.plugin("tuning").gc(&conf, &[]).done();
            } else {
                host.plugin("tuning").del(&conf, &pod, "eth0").done();
                assert_eq!(attributes(&pod), before, "{when}");
            }
            assert_eq!(files(&host), "", "{when}");
        });
    }
}

fn files(host: &Host) -> String {
    host.sh("ls -A /run/cni/tuning 2>/dev/null || true")
}

#[test]
fn a_full_disk_changes_nothing() {
    let host = Host::new();
    let (pod, conf) = attached(&host);
    host.sh("mkdir /run/full; mount -t tmpfs -o size=4k tmpfs /run/full; \
        dd if=/dev/zero of=/run/full/fill bs=4k count=4 2>/dev/null || true");
    let before = attributes(&pod);
    let conf = everything(conf).set("dataDir", "/run/full");
    let error = host.plugin("tuning").add(&conf, &pod, "eth0").error();
    error.says(5, &["/run/full/pod_eth0.json", "ENOSPC"]);
    assert_eq!(attributes(&pod), before);
    assert_eq!(host.run("ls -A /run/full"), "fill\n");
}

#[test]
fn twenty_at_once_leave_nothing() {
    let host = Host::new();
    host.run("mkdir -p /run/cni/tuning");
    let conf = conf("1.0.0");
    for n in 0..20 {
        host.run(&format!("ip netns add pod{n}"));
        host.run(&format!("ip link add eth0 netns pod{n} type veth peer name host{n}"));
    }
    let before = host.snapshot();
    for verb in ["ADD", "DEL"] {
        std::thread::scope(|scope| {
            for n in 0..20 {
                let (host, conf) = (&host, everything(conf.clone()).text());
                scope.spawn(move || {
                    let call = host.plugin("tuning").env("CNI_CONTAINERID", format!("pod{n}"));
                    let call = call.env("CNI_NETNS", format!("/run/netns/pod{n}")).env("CNI_IFNAME", "eth0");
                    assert_eq!(call.run(verb, conf.as_bytes()).exit, Some(0));
                });
            }
        });
        let files = host.snapshot().lines_with("file /run/cni/tuning").len();
        assert_eq!(files, if verb == "ADD" { 20 } else { 0 });
    }
    host.snapshot().assert_same_as(&before, "20 DELs");
}
