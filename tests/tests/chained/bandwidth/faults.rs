//! Faults on purpose.

use cni_tests::{Host, Place, Trace, kill_at_each_step, needs};

use crate::bandwidth::{attached, behind, both, conf, ifbs, state};

#[test]
fn an_add_whose_nth_request_is_refused_leaves_nothing() {
    needs!(Strace);
    let host = Host::new();
    let pod = attached(&host);
    let before = state(&host);
    let trace = Trace::new(&["trace=sendto"]);
    host.plugin("bandwidth").under(&trace.command()).add(&both(), &pod, "eth0").result();
    host.plugin("bandwidth").del(&both(), &pod, "eth0").done();
    host.sh("tc qdisc del dev host0 root; tc qdisc del dev host0 ingress");
    let requests = trace.request_lengths();
    assert!(requests.len() > 6, "{requests:?}");
    for (n, length) in requests.into_iter().enumerate() {
        let trace = Trace::refusing(n + 1, length);
        let error = host.plugin("bandwidth").under(&trace.command()).add(&both(), &pod, "eth0").error();
        assert_eq!(state(&host), before, "request {n}: {error:?}");
    }
}

#[test]
fn a_namespace_that_cannot_be_entered_is_one_error() {
    needs!(Strace);
    let host = Host::new();
    let pod = attached(&host);
    let before = state(&host);
    for n in 1..4 {
        let trace = Trace::new(&["trace=setns", &format!("inject=setns:error=EPERM:when={n}")]);
        let outcome = host.plugin("bandwidth").under(&trace.command()).add(&both(), &pod, "eth0");
        if n == 1 {
            outcome.error().says(8, &["/run/netns/pod", "EPERM"]);
            assert_eq!(state(&host), before);
        } else {
            outcome.result();
            host.plugin("bandwidth").del(&both(), &pod, "eth0").done();
            host.sh("tc qdisc del dev host0 root; tc qdisc del dev host0 ingress");
        }
    }
}

fn prev_result() -> serde_json::Value {
    let conf: serde_json::Value = serde_json::from_str(&conf("1.1.0").text()).unwrap();
    conf["prevResult"].clone()
}

#[test]
fn a_killed_add_is_cleaned_up_by_del_and_gc() {
    needs!(Strace);
    for (second, by_gc) in [(false, false), (false, true), (true, false), (true, true)] {
        kill_at_each_step(|trace, when| {
            let host = Host::new();
            let pod = attached(&host);
            host.pair(&pod, "host1", "eth1", &[]);
            if second {
                // The name that the reference would use is taken.
                host.plugin("bandwidth")
                    .add(&behind(both(), "1.0.0", "host1", "pod", "eth1"), &pod, "eth1")
                    .result();
            }
            let before = ifbs(&host).len();
            let conf = both().version("1.1.0").prev(&prev_result());
            host.plugin("bandwidth").under(&trace.command()).add(&conf, &pod, "eth0");
            if by_gc {
                host.plugin("bandwidth").gc(&conf, &[(&pod, "eth1")]).done();
            } else {
                let bare = conf.remove("prevResult");
                host.plugin("bandwidth").without("CNI_NETNS").del(&bare, &pod, "eth0").done();
            }
            assert_eq!(ifbs(&host).len(), before, "second: {second}, GC: {by_gc}, {when}");
        });
    }
}

#[test]
fn twenty_at_once_leave_nothing() {
    let host = Host::new();
    let pods: Vec<_> = (0..20).map(|n| format!("pod{n}")).collect();
    let before = host.snapshot();
    let containers: Vec<_> = pods.iter().map(|id| host.container(id)).collect();
    for (n, container) in containers.iter().enumerate() {
        host.pair(container, &format!("host{n}"), "eth0", &[]);
    }
    for verb in ["ADD", "DEL"] {
        std::thread::scope(|scope| {
            for (n, id) in pods.iter().enumerate() {
                let conf = behind(both(), "1.0.0", &format!("host{n}"), id, "eth0");
                let call = host.plugin("bandwidth").env("CNI_CONTAINERID", id).env("CNI_IFNAME", "eth0");
                let call = call.env("CNI_NETNS", format!("/run/netns/{id}"));
                scope.spawn(move || {
                    let outcome = call.run(verb, conf.text().as_bytes());
                    assert_eq!(outcome.exit, Some(0), "{outcome:?}");
                });
            }
        });
        assert_eq!(ifbs(&host).len(), if verb == "ADD" { 20 } else { 0 });
    }
    for (n, container) in containers.iter().enumerate() {
        host.run(&format!("ip link del host{n}"));
        container.remove_netns();
    }
    host.snapshot().assert_same_as(&before, "20 DELs");
}
