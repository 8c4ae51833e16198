//! GC and STATUS.

use cni_tests::{Host, Place, Trace, in_every_version, needs};

use crate::bandwidth::{attached, behind, both, conf, ifbs, limited};

in_every_version!(gate as gate);

fn gate(version: &str) {
    let host = Host::new();
    let conf = conf(version);
    for outcome in [host.plugin("bandwidth").gc(&conf, &[]), host.plugin("bandwidth").status(&conf)] {
        if version == "1.1.0" {
            outcome.done();
        } else {
            outcome.error().says(1, &["1.1.0"]);
        }
    }
}

#[test]
fn what_is_not_valid_goes_and_what_is_valid_stays() {
    let host = Host::new();
    let limits = |outside: &str, inside: &str| {
        behind(limited(conf("1.1.0"), (0, 0), (8_000_000, 80_000)), "1.1.0", outside, "pod", inside)
    };
    let pod = attached(&host);
    host.pair(&pod, "host1", "eth1", &[]);
    host.pair(&pod, "host2", "eth2", &[]);
    // Others' links of the kind stay, whatever their names.
    host.run("ip link add bwp000000000000 type ifb");
    host.run("ip link add mine type ifb");
    host.plugin("bandwidth").add(&limits("host0", "eth0"), &pod, "eth0").result();
    host.plugin("bandwidth").add(&limits("host2", "eth2").set("name", "other"), &pod, "eth2").result();
    let before = host.snapshot();
    host.plugin("bandwidth").add(&limits("host1", "eth1"), &pod, "eth1").result();
    let conf = conf("1.1.0");
    host.plugin("bandwidth").gc(&conf, &[(&pod, "eth0")]).done();
    host.snapshot().assert_same_as(&before, "GC");
    host.plugin("bandwidth").check(&limits("host0", "eth0"), &pod, "eth0").done();
    // The container is gone as a reboot of the runtime leaves it: without DEL.
    pod.remove_netns();
    host.plugin("bandwidth").gc(&conf, &[]).done();
    assert_eq!(ifbs(&host).len(), 3);
    host.plugin("bandwidth").gc(&conf.clone().set("name", "other"), &[]).done();
    assert_eq!(ifbs(&host).len(), 2);
    host.plugin("bandwidth").run("GC", conf.text().as_bytes()).freed_nothing();
}

#[test]
fn status_tries_all_that_add_needs_and_changes_nothing() {
    needs!(Strace);
    let host = Host::new();
    let before = host.snapshot();
    let conf = conf("1.1.0");
    let trace = Trace::new(&["trace=sendto"]);
    host.plugin("bandwidth").under(&trace.command()).status(&conf).done();
    host.snapshot().assert_same_as(&before, "STATUS");
    let requests = trace.request_lengths();
    assert!(requests.len() >= 5, "{requests:?}");
    for (n, length) in requests.into_iter().enumerate() {
        host.forget_status();
        let trace = Trace::refusing(n + 1, length).with_threads();
        let error = host.plugin("bandwidth").under(&trace.command()).status(&conf).error();
        error.says(50, &["the kernel cannot limit rates"]);
        host.snapshot().assert_same_as(&before, "a failing STATUS");
    }
    let wrong = conf.set("egressRate", 7);
    host.plugin("bandwidth").status(&wrong).error().says(7, &["egressRate", "7"]);
}

#[test]
fn del_needs_neither_result_nor_namespace_nor_sense() {
    let host = Host::new();
    let pod = attached(&host);
    let before = host.snapshot();
    host.plugin("bandwidth").del(&both().remove("prevResult"), &pod, "eth0").done();
    for change in 0..3 {
        host.plugin("bandwidth").add(&both(), &pod, "eth0").result();
        let call = host.plugin("bandwidth");
        let bare = both().remove("prevResult");
        match change {
            0 => call.without("CNI_NETNS").del(&bare, &pod, "eth0").done(),
            1 => call.del(&bare.set("ingressRate", -1).set("egressBurst", "x"), &pod, "eth0").done(),
            _ => call.del(&bare.remove("ingressRate").remove("egressRate"), &pod, "eth0").done(),
        }
        host.sh("tc qdisc del dev host0 root; tc qdisc del dev host0 ingress");
        host.snapshot().assert_same_as(&before, "DEL");
    }
}
