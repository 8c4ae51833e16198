//! Debian's build of the reference beside ours: the same rules and tables, and what either made the other removes.

use cni_tests::{Conf, Container, Host, Place, Suite, needs};

use crate::sbr::{attached, conf, dual_stack, rules, state};

fn made(
    suite: Suite,
    prepare: impl Fn(&Host) -> (Container, Conf) + Send + Sync,
) -> (serde_json::Value, Vec<String>) {
    Host::fresh(|host| {
        let (pod, conf) = prepare(host);
        let mut result = host.call(suite, "sbr").add(&conf, &pod, "eth0").result();
        // Debian's 1.1.1 has an empty one where nothing was said.
        result.as_object_mut().unwrap().remove("dns");
        let (_, mut lines, routes) = state(host, &pod);
        lines.extend(routes);
        lines.sort();
        (result, lines)
    })
}

#[test]
fn both_make_the_same() {
    needs!(Reference);
    type Prepare = fn(&Host) -> (Container, Conf);
    let cases: [Prepare; 5] = [
        dual_stack,
        |host| (attached(host, &["10.1.0.2/24"]), conf(&[("10.1.0.2/24", "10.1.0.1")])),
        |host| (attached(host, &["fd00:1::2/64"]), conf(&[("fd00:1::2/64", "")])),
        |host| {
            let (pod, conf) = dual_stack(host);
            pod.run("ip rule add from 10.9.9.9 lookup 100");
            pod.run("ip route add 10.9.0.0/16 via 10.1.0.9 metric 7");
            pod.run("ip -6 route add 2001:db8::/32 via fd00:1::9");
            (pod, conf)
        },
        |host| {
            let ips = [("10.1.0.2/24", "10.1.0.1"), ("10.2.0.2/24", ""), ("fd00:1::2/64", "fd00:1::1")];
            let pod = attached(host, &ips.map(|(address, _)| address));
            pod.run("ip route add 10.7.0.0/16 dev eth0");
            (pod, conf(&ips))
        },
    ];
    for (n, prepare) in cases.into_iter().enumerate() {
        assert_eq!(made(Suite::Ours, prepare), made(Suite::Reference, prepare), "case {n}");
    }
}

/// Of routes to one destination the reference keeps the last one, and those that share the load it leaves behind.
#[test]
fn the_reference_loses_routes_that_we_move() {
    needs!(Reference);
    let prepare = |host: &Host| {
        let (pod, conf) = dual_stack(host);
        pod.run("ip route add 10.8.0.0/16 via 10.1.0.3");
        pod.run("ip route append 10.8.0.0/16 via 10.1.0.4");
        (pod, conf)
    };
    let lost = "10.8.0.0/16 via 10.1.0.3 dev eth0 table 100".to_owned();
    assert!(made(Suite::Ours, prepare).1.contains(&lost));
    assert!(!made(Suite::Reference, prepare).1.contains(&lost));
}

fn handover(from: Suite, to: Suite) {
    for with_result in [true, false] {
        let host = Host::new();
        let (pod, conf) = dual_stack(&host);
        host.call(from, "sbr").add(&conf, &pod, "eth0").result();
        assert_eq!(rules(&pod).len(), 2);
        host.call(to, "sbr").check(&conf, &pod, "eth0").done();
        let conf = if with_result { conf } else { conf.remove("prevResult") };
        host.call(to, "sbr").del(&conf, &pod, "eth0").done();
        assert_eq!(rules(&pod), [""; 0]);
    }
}

#[test]
fn what_the_reference_made_we_check_and_remove() {
    needs!(Reference);
    handover(Suite::Reference, Suite::Ours);
}

#[test]
fn what_we_made_the_reference_checks_and_removes() {
    needs!(Reference);
    handover(Suite::Ours, Suite::Reference);
}

/// The reference's second interface after ours, and the other way round.
#[test]
fn both_pick_tables_side_by_side() {
    needs!(Reference);
    for (first, second) in [(Suite::Ours, Suite::Reference), (Suite::Reference, Suite::Ours)] {
        let host = Host::new();
        let (pod, conf) = dual_stack(&host);
        host.pair(&pod, "h-net1", "net1", &["10.5.0.2/24"]);
        let other = crate::sbr::conf_of("net1", &[("10.5.0.2/24", "10.5.0.1")]);
        host.call(first, "sbr").add(&conf, &pod, "eth0").result();
        host.call(second, "sbr").add(&other, &pod, "net1").result();
        let all = ["from 10.5.0.2 lookup 102", "from 10.1.0.2 lookup 100", "from fd00:1::2 lookup 101"];
        assert_eq!(rules(&pod), all);
    }
}
