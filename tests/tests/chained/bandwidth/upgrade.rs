//! What either suite made, the other finds and removes.

use cni_tests::{Host, Place, Suite, needs};
use serde_json::Value;

use crate::bandwidth::{attached, behind, both, conf, ifbs, limited, qdiscs};

/// Qdiscs, filters without the addresses of this run, and the ifb without its MAC.
fn made(suite: Suite, ingress: (u64, u64), egress: (u64, u64)) -> (Vec<Value>, Vec<Value>, String, Value) {
    Host::fresh(|host| {
        let pod = attached(host);
        let conf = limited(conf("1.0.0"), ingress, egress);
        let mut result = host.call(suite, "bandwidth").add(&conf, &pod, "eth0").result();
        let name = result["interfaces"][2]["name"].as_str().unwrap().to_owned();
        result["interfaces"][2]["mac"].take();
        // Debian's 1.1.1 has an empty one where nothing was said.
        result.as_object_mut().unwrap().remove("dns");
        let filters = host.run("tc filter show dev host0 ingress");
        // The reference says the action twice; the first one takes the packet.
        let filters = filters.split("action order 2").next().unwrap().to_owned();
        (qdiscs(host, "host0"), qdiscs(host, &name), filters.split_whitespace().collect(), result)
    })
}

#[test]
fn both_make_the_same() {
    needs!(Reference);
    for limit in [
        (8, 8),
        (8, 80),
        (8000, 80),
        (24, 80),
        (1_000_000, 1_000_000),
        (10_000_000, 268_435_456),
        (123_456_789, 12_345_678),
        (10_000_000_000, 80_000_000),
        (400_000_000_000, 8_000_000_000),
    ] {
        assert_eq!(made(Suite::Ours, limit, limit), made(Suite::Reference, limit, limit), "{limit:?}");
    }
}

fn handover(from: Suite, to: Suite) {
    let host = Host::new();
    let pod = attached(&host);
    let before = host.snapshot();
    for with_result in [true, false] {
        let result = host.call(from, "bandwidth").add(&both(), &pod, "eth0").result();
        let conf = both().prev(&result);
        host.call(to, "bandwidth").check(&conf, &pod, "eth0").done();
        let conf = if with_result { conf } else { conf.remove("prevResult") };
        host.call(to, "bandwidth").del(&conf, &pod, "eth0").done();
        host.sh("tc qdisc del dev host0 root; tc qdisc del dev host0 ingress");
        host.snapshot().assert_same_as(&before, "DEL by the other suite");
    }
}

#[test]
fn what_the_reference_made_we_check_and_remove() {
    needs!(Reference);
    handover(Suite::Reference, Suite::Ours);
}

/// CRI-O checks its containers when it is restarted, and what fails loses its address.
#[test]
fn what_the_reference_made_of_a_burst_that_wraps_we_check() {
    needs!(Reference);
    for rate in [64_000, 1_000_000, 8_000_000, 10_000_000, 123_456_789, 1_000_000_000, 400_000_000_000] {
        for burst in [4_294_967_295, 4_294_967_296, 12_345_678_901, 34_359_738_352, 34_359_738_359] {
            let host = Host::new();
            let pod = attached(&host);
            let conf = limited(conf("1.0.0"), (rate, burst), (rate, burst));
            let outcome = host.reference("bandwidth").add(&conf, &pod, "eth0");
            if outcome.exit != Some(0) {
                // Wrapped to nothing, which the kernel refuses.
                assert!(outcome.stdout.contains("invalid argument"), "{rate} {burst}: {outcome:?}");
                continue;
            }
            let conf = conf.prev(&outcome.result());
            let outcome = host.plugin("bandwidth").check(&conf, &pod, "eth0");
            assert_eq!(outcome.exit, Some(0), "{rate} {burst}: {outcome:?}");
        }
    }
}

#[test]
fn what_we_made_the_reference_checks_and_removes() {
    needs!(Reference);
    handover(Suite::Ours, Suite::Reference);
}

/// The node was upgraded between the two: the reference's ifb has the name both interfaces could have.
#[test]
fn a_second_interface_leaves_the_references_ifb_alone() {
    needs!(Reference);
    let host = Host::new();
    let pod = attached(&host);
    host.pair(&pod, "host1", "eth1", &[]);
    let second = behind(both(), "1.0.0", "host1", "pod", "eth1");
    let first = host.reference("bandwidth").add(&both(), &pod, "eth0").result();
    let result = host.plugin("bandwidth").add(&second, &pod, "eth1").result();
    assert_ne!(first["interfaces"][2]["name"], result["interfaces"][2]["name"]);
    for conf in [second.clone().remove("prevResult"), second.prev(&result)] {
        host.plugin("bandwidth").del(&conf, &pod, "eth1").done();
        host.plugin("bandwidth").check(&both().prev(&first), &pod, "eth0").done();
        assert_eq!(ifbs(&host).len(), 1);
    }
    host.plugin("bandwidth").del(&both(), &pod, "eth0").done();
}
