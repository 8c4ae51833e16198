//! CHECK passes right after ADD and names each single change.

use cni_tests::{Host, Place};

use crate::bandwidth::{attached, both, conf, ifbs, limited};

#[test]
fn each_change_is_found() {
    let mutations: [(&str, &[&str]); 9] = [
        ("tc qdisc del dev host0 root", &["host0", "token bucket"]),
        ("tc qdisc replace dev host0 root handle 2: pfifo", &["host0", "pfifo"]),
        (
            "tc qdisc change dev host0 root tbf rate 9mbit burst 100000 latency 25ms",
            &["host0", "1125000", "1000000"],
        ),
        (
            "tc qdisc change dev host0 root tbf rate 8mbit burst 50000 latency 25ms",
            &["host0", "50000", "100000"],
        ),
        ("tc qdisc del dev host0 ingress", &["host0", "redirect"]),
        ("tc filter del dev host0 ingress", &["host0", "redirect"]),
        ("tc qdisc del dev IFB root", &["IFB", "token bucket"]),
        ("ip link set IFB down", &["IFB", "down"]),
        ("ip link del IFB", &["ifb", "eth0"]),
    ];
    for (mutation, parts) in mutations {
        let host = Host::new();
        let pod = attached(&host);
        let result = host.plugin("bandwidth").add(&both(), &pod, "eth0").result();
        let conf = both().prev(&result);
        host.plugin("bandwidth").check(&conf, &pod, "eth0").done();
        let ifb = ifbs(&host)[0]["ifname"].as_str().unwrap().to_owned();
        host.run(&mutation.replace("IFB", &ifb));
        let parts: Vec<_> = parts.iter().map(|part| part.replace("IFB", &ifb)).collect();
        let parts: Vec<_> = parts.iter().map(String::as_str).collect();
        let outcome = host.plugin("bandwidth").check(&conf, &pod, "eth0");
        assert_eq!(outcome.exit, Some(1), "CHECK passes although: {mutation}");
        outcome.error().says(103, &parts);
    }
}

#[test]
fn it_passes_for_extreme_limits() {
    let extremes = [
        (8, 8),
        (8, 80_000),
        (8000, 80),
        (8_000_000_000_000, 8_000_000_000),
        (34_359_738_352_000_000, 34_359_738_352),
        (8_000_000, 32),
        (8, (1 << 35) - 16),
    ];
    for extreme in extremes {
        let host = Host::new();
        let pod = attached(&host);
        let conf = limited(conf("1.0.0"), extreme, extreme);
        let result = host.plugin("bandwidth").add(&conf, &pod, "eth0").result();
        let outcome = host.plugin("bandwidth").check(&conf.prev(&result), &pod, "eth0");
        assert_eq!(outcome.exit, Some(0), "{extreme:?}: {outcome:?}");
    }
}

/// Made with `tc`: what a container has that the reference limited before the node was upgraded.
#[test]
fn it_accepts_what_the_reference_makes_of_bursts_that_wrap_at_32_bits() {
    // CRI-O sends this burst with each limited pod.
    for (rate, burst, limit, wrapped) in [
        (10_000_000, 34_359_738_359, 31_248, 171_798_689),
        (1_000_000, 34_359_738_359, 3_123, 21_474_834),
        (100_000_000, 34_359_738_359, 312_498, 858_993_450),
        (10_000_000, 4_294_967_295, 536_902_161, 193_273_526),
        (8_000_000, 4_294_967_296, 536_895_912, 261_993_005),
    ] {
        let host = Host::new();
        let pod = attached(&host);
        let conf = limited(conf("1.0.0"), (rate, burst), (rate, burst));
        let result = host.plugin("bandwidth").add(&conf, &pod, "eth0").result();
        let conf = conf.prev(&result);
        let ifb = ifbs(&host)[0]["ifname"].as_str().unwrap().to_owned();
        for link in ["host0", &ifb] {
            let bucket = format!("tbf rate {rate}bit burst {wrapped} limit {limit}");
            host.run(&format!("tc qdisc replace dev {link} root handle 1: {bucket}"));
        }
        let outcome = host.plugin("bandwidth").check(&conf, &pod, "eth0");
        assert_eq!(outcome.exit, Some(0), "{rate} {burst}: {outcome:?}");
        for other in [format!("burst {} limit {limit}", wrapped / 2), format!("burst {wrapped} limit 65536")]
        {
            host.run(&format!("tc qdisc replace dev host0 root handle 1: tbf rate {rate}bit {other}"));
            host.plugin("bandwidth").check(&conf, &pod, "eth0").error().says(103, &["host0"]);
        }
    }
}

#[test]
fn it_needs_a_pair_even_without_limits() {
    let host = Host::new();
    let pod = attached(&host);
    host.plugin("bandwidth").check(&conf("1.0.0"), &pod, "eth0").done();
    host.plugin("bandwidth")
        .check(&conf("1.0.0").remove("prevResult"), &pod, "eth0")
        .error()
        .says(7, &["prevResult"]);
    host.run("ip link del host0");
    host.plugin("bandwidth").check(&conf("1.0.0"), &pod, "eth0").error().says(103, &["eth0"]);
}
