//! What ADD makes.

use cni_tests::{Host, Place, Trace, in_every_version, needs};
use serde_json::{Value, json};

use crate::bandwidth::{attached, behind, both, conf, ifbs, limited, qdiscs, state, tbf};

in_every_version!(round_trip as every_version);

fn round_trip(version: &str) {
    let host = Host::new();
    let pod = attached(&host);
    let conf = limited(conf(version), (8_000_000, 800_000), (16_000_000, 1_600_000));
    if version < "0.3.0" {
        host.plugin("bandwidth").add(&conf, &pod, "eth0").error().says(1, &["0.3.0", version]);
        return;
    }
    let before = host.snapshot();
    let result = host.plugin("bandwidth").add(&conf, &pod, "eth0").result();
    let ifb = &ifbs(&host)[0];
    let name = ifb["ifname"].as_str().unwrap();
    assert_eq!(qdiscs(&host, "host0")[0], tbf(1_000_000, 100_000));
    assert_eq!(qdiscs(&host, "host0")[1], json!({ "kind": "ingress", "handle": "ffff:", "options": {} }));
    assert_eq!(qdiscs(&host, name), [tbf(2_000_000, 200_000)]);
    assert_eq!(result["interfaces"].as_array().unwrap().len(), 3);
    assert_eq!(result["interfaces"][2], json!({ "name": name, "mac": ifb["address"] }));
    if version >= "0.4.0" {
        host.plugin("bandwidth").check(&conf.clone().prev(&result), &pod, "eth0").done();
    }
    host.plugin("bandwidth").del(&conf.prev(&result), &pod, "eth0").done();
    host.snapshot().assert_same_as(&before, "DEL");
}

#[test]
fn the_ifb_is_the_owners_and_like_the_host_end() {
    let host = Host::new();
    let pod = attached(&host);
    host.run("ip link set host0 mtu 1400");
    host.plugin("bandwidth").add(&both(), &pod, "eth0").result();
    let ifb = &ifbs(&host)[0];
    assert_eq!((&ifb["mtu"], ifb["txqlen"].as_u64().unwrap_or(0)), (&json!(1400), 0));
    assert!(ifb["flags"].as_array().unwrap().contains(&json!("UP")));
    assert!(ifb["ifalias"].as_str().unwrap().ends_with("net: net, if: eth0, id: pod"), "{ifb}");
    let filter = host.run("tc filter show dev host0 ingress");
    let name = ifb["ifname"].as_str().unwrap();
    assert!(filter.contains("match 00000000/00000000 at 0"), "{filter}");
    assert!(filter.contains(&format!("Egress Redirect to device {name}")), "{filter}");
}

#[test]
fn the_first_interface_has_the_references_ifb_name() {
    let host = Host::new();
    let pod = host.container("dummy");
    host.pair(&pod, "host0", "eth0", &[]);
    let conf = behind(both(), "1.0.0", "host0", "dummy", "eth0").set("name", "mynet");
    host.plugin("bandwidth").add(&conf, &pod, "eth0").result();
    assert_eq!(ifbs(&host)[0]["ifname"], "bwp1b29d9511ed2");
}

#[test]
fn one_direction_alone_and_none() {
    let host = Host::new();
    let pod = attached(&host);
    let before = state(&host);
    let ingress = limited(conf("1.0.0"), (8000, 80_000), (0, 0));
    let result = host.plugin("bandwidth").add(&ingress, &pod, "eth0").result();
    assert_eq!((qdiscs(&host, "host0").len(), ifbs(&host).len()), (1, 0));
    assert_eq!(result["interfaces"].as_array().unwrap().len(), 2);
    host.run("tc qdisc del dev host0 root");
    let egress = limited(conf("1.0.0"), (0, 0), (8000, 80_000));
    host.plugin("bandwidth").add(&egress, &pod, "eth0").result();
    assert_eq!(qdiscs(&host, "host0")[0]["kind"], "ingress");
    assert_eq!((qdiscs(&host, "host0").len(), ifbs(&host).len()), (1, 1));
    host.plugin("bandwidth").del(&egress, &pod, "eth0").done();
    host.run("tc qdisc del dev host0 ingress");
    // Runtimes that write all four keys mean no limit by 0.
    let zeros = json!({ "IngressRate": 0, "IngressBurst": 0, "EgressRate": 0, "EgressBurst": 0 });
    for none in [conf("1.0.0"), conf("1.0.0").set("runtimeConfig", json!({ "bandwidth": zeros }))] {
        let result = host.plugin("bandwidth").add(&none, &pod, "eth0").result();
        assert_eq!(result["interfaces"].as_array().unwrap().len(), 2);
        host.plugin("bandwidth").check(&none, &pod, "eth0").done();
        host.plugin("bandwidth").del(&none, &pod, "eth0").done();
    }
    before.0.assert_same_as(&host.snapshot(), "limits of one direction");
    assert_eq!(state(&host), before);
}

/// Bytes per second.
fn rate(qdisc: &Value) -> u64 {
    qdisc["options"]["rate"].as_u64().unwrap()
}

#[test]
fn a_key_of_the_configuration_wins_over_all_of_the_runtimes() {
    let runtime = json!({ "bandwidth": { "ingressRate": 80_000, "ingressBurst": 80_000,
        "egressRate": 80_000, "egressBurst": 80_000 } });
    let host = Host::new();
    let pod = attached(&host);
    let both = conf("1.0.0").set("runtimeConfig", runtime);
    let own = limited(both.clone(), (160_000, 80_000), (0, 0));
    host.plugin("bandwidth").add(&own, &pod, "eth0").result();
    assert_eq!((rate(&qdiscs(&host, "host0")[0]), ifbs(&host).len()), (20_000, 0));
    host.run("tc qdisc del dev host0 root");
    host.plugin("bandwidth").add(&both, &pod, "eth0").result();
    assert_eq!((rate(&qdiscs(&host, "host0")[0]), ifbs(&host).len()), (10_000, 1));
    host.plugin("bandwidth").check(&both, &pod, "eth0").done();
    // Even where the runtime's would be right and the own are not.
    let wrong = both.set("ingressBurst", 8);
    host.plugin("bandwidth").add(&wrong, &pod, "eth0").error().says(7, &["ingressBurst", "ingressRate"]);
}

#[test]
fn a_missing_burst_is_a_tenth_of_a_second_or_two_frames() {
    for (rate, burst) in [(80_000_000, 1_000_000), (64_000, 3036)] {
        let host = Host::new();
        let pod = attached(&host);
        let conf = limited(conf("1.0.0"), (rate, 0), (rate, 0));
        let outcome = host.plugin("bandwidth").add(&conf, &pod, "eth0");
        let result = outcome.result();
        assert_eq!(outcome.stderr, "");
        for link in ["host0", result["interfaces"][2]["name"].as_str().unwrap()] {
            let options = qdiscs(&host, link)[0]["options"].clone();
            // tc calculates the burst back from whole ticks.
            let shown = options["burst"].as_u64().unwrap();
            assert!(options["rate"] == rate / 8 && burst - shown <= 1, "{options}");
        }
        host.plugin("bandwidth").check(&conf.prev(&result), &pod, "eth0").done();
    }
}

#[test]
fn a_limit_that_means_little_is_warned_about() {
    let host = Host::new();
    let pod = attached(&host);
    let long = limited(conf("1.0.0"), (10_000_000, 268_435_456), (10_000_000, 1_000_000));
    let outcome = host.plugin("bandwidth").add(&long, &pod, "eth0");
    outcome.result();
    for part in ["ingressRate", "33554432 bytes", "26 s", "1000000 bits"] {
        assert!(outcome.stderr.contains(part), "{part}: {outcome:?}");
    }
    assert!(!outcome.stderr.contains("egress"), "{outcome:?}");
    let host = Host::new();
    let pod = attached(&host);
    let small = limited(conf("1.0.0"), (0, 0), (10_000_000, 8000));
    let outcome = host.plugin("bandwidth").add(&small, &pod, "eth0");
    outcome.result();
    assert!(outcome.stderr.contains("egressRate") && outcome.stderr.contains("dropped"), "{outcome:?}");
}

#[test]
fn two_interfaces_of_one_container_do_not_collide() {
    let host = Host::new();
    let pod = attached(&host);
    host.pair(&pod, "host1", "eth1", &[]);
    let before = host.snapshot();
    let second = behind(both(), "1.0.0", "host1", "pod", "eth1");
    let first = host.plugin("bandwidth").add(&both(), &pod, "eth0").result();
    let result = host.plugin("bandwidth").add(&second, &pod, "eth1").result();
    assert_ne!(first["interfaces"][2]["name"], result["interfaces"][2]["name"]);
    let with_both = host.snapshot();
    for gone in ["eth0", "eth1"] {
        let (conf, stays, stays_conf) =
            if gone == "eth0" { (both(), "eth1", second.clone()) } else { (second.clone(), "eth0", both()) };
        host.plugin("bandwidth").del(&conf.clone().remove("prevResult"), &pod, gone).done();
        host.plugin("bandwidth").check(&stays_conf, &pod, stays).done();
        host.plugin("bandwidth").check(&conf, &pod, gone).error().says(103, &["ifb", gone]);
        host.plugin("bandwidth").del(&conf.clone().remove("prevResult"), &pod, gone).done();
        assert_eq!(ifbs(&host).len(), 1);
        let link = if gone == "eth0" { "host0" } else { "host1" };
        host.sh(&format!("tc qdisc del dev {link} root; tc qdisc del dev {link} ingress"));
        host.plugin("bandwidth").add(&conf, &pod, gone).result();
    }
    assert_eq!(host.snapshot().lines_with("ifb").len(), with_both.lines_with("ifb").len());
    host.plugin("bandwidth").del(&both(), &pod, "eth0").done();
    host.plugin("bandwidth").del(&second, &pod, "eth1").done();
    host.snapshot().assert_same_as(&before, "both DELs");
}

#[test]
fn the_right_pair_among_several_is_limited() {
    let host = Host::new();
    let pod = attached(&host);
    for n in 1..5 {
        host.pair(&pod, &format!("host{n}"), &format!("eth{n}"), &[]);
    }
    let conf = behind(both(), "1.0.0", "host3", "pod", "eth3");
    host.plugin("bandwidth").add(&conf, &pod, "eth3").result();
    let with_limits = (0..5).filter(|n| !qdiscs(&host, &format!("host{n}")).is_empty());
    assert_eq!(with_limits.collect::<Vec<_>>(), [3]);
}

#[test]
fn an_add_starts_no_process_and_makes_few_requests() {
    needs!(Strace);
    let host = Host::new();
    let pod = attached(&host);
    let trace = Trace::new(&["trace=execve,sendto"]);
    host.plugin("bandwidth").under(&trace.command()).add(&both(), &pod, "eth0").result();
    let lines = trace.lines();
    let count = |what: &str| lines.iter().map(|line| line.matches(what).count()).sum::<usize>();
    assert_eq!(count("execve("), 1, "{lines:?}");
    assert!((5..=10).contains(&count("nlmsg_type=RTM_")), "{lines:?}");
}
