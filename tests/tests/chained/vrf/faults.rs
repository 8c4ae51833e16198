//! Faults on purpose.

use cni_tests::{Host, Place, Trace, kill_at_each_step, needs};

use crate::vrf::{dual_stack, state, vrfs};

#[test]
fn an_add_whose_nth_request_is_refused_gives_everything_back() {
    needs!(Vrf, Strace);
    let requests = Host::fresh(|host| {
        let (pod, conf) = dual_stack(host);
        let trace = Trace::new(&["trace=sendto"]);
        host.plugin("vrf").under(&trace.command()).add(&conf, &pod, "eth0").result();
        trace.request_lengths()
    });
    assert!(requests.len() >= 8, "{requests:?}");
    let host = Host::new();
    let (pod, conf) = dual_stack(&host);
    let before = state(&host, &pod);
    let mut refused = 0;
    for (n, length) in requests.into_iter().enumerate() {
        // With and without it the kernel takes the IPv6 addresses.
        pod.run(&format!("sysctl -w net.ipv6.conf.eth0.keep_addr_on_down={}", n % 2));
        let trace = Trace::refusing(n + 1, length);
        let outcome = host.plugin("vrf").under(&trace.command()).add(&conf, &pod, "eth0");
        if outcome.exit == Some(0) {
            // A request that ADD can do without is the last one.
            host.plugin("vrf").check(&conf, &pod, "eth0").done();
            break;
        }
        let error = outcome.error();
        assert_eq!(state(&host, &pod), before, "request {n}: {error:?}, {}", outcome.stderr);
        refused += 1;
    }
    assert!(refused >= 7, "only {refused} refusals made ADD fail");
}

#[test]
fn a_killed_add_is_cleaned_up_by_del() {
    needs!(Vrf, Strace);
    kill_at_each_step(|trace, when| {
        let host = Host::new();
        let (pod, conf) = dual_stack(&host);
        host.plugin("vrf").under(&trace.command()).add(&conf, &pod, "eth0");
        host.plugin("vrf").del(&conf.remove("prevResult"), &pod, "eth0").done();
        assert_eq!(vrfs(&pod), [], "{when}");
    });
}

/// The specification forbids it.
#[test]
fn several_interfaces_at_once() {
    needs!(Vrf);
    let host = Host::new();
    let pod = host.container("pod");
    let confs: Vec<_> = (0..6)
        .map(|n| {
            let (name, address) = (format!("net{n}"), format!("10.{n}.0.2/24"));
            host.pair(&pod, &format!("h-{name}"), &name, &[&address]);
            (crate::vrf::conf_of(&name, &[&address]).set("vrfname", format!("vrf{}", n % 3)), name)
        })
        .collect();
    std::thread::scope(|scope| {
        let (host, pod) = (&host, &pod);
        for (conf, name) in &confs {
            scope.spawn(move || host.plugin("vrf").add(conf, pod, name).result());
        }
    });
    let mut tables: Vec<_> = vrfs(&pod).into_iter().map(|(_, table)| table).collect();
    tables.sort_unstable();
    assert_eq!(tables, [1, 2, 3]);
    for (conf, name) in &confs {
        host.plugin("vrf").check(conf, &pod, name).done();
        host.plugin("vrf").del(conf, &pod, name).done();
    }
    assert_eq!(vrfs(&pod), []);
}
