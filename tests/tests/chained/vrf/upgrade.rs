//! Debian's build of the reference beside ours: the same VRF and routes, and what either made the other removes.

use cni_tests::{Host, Place, Suite, needs};

use crate::vrf::{conf_of, dual_stack, master, vrfs};

#[test]
fn both_make_the_same() {
    needs!(Vrf, Reference);
    let made = |suite: Suite, keep: &str| {
        Host::fresh(|host| {
            let (pod, conf) = dual_stack(host);
            pod.run(&format!("sysctl -w net.ipv6.conf.eth0.keep_addr_on_down={keep}"));
            host.call(suite, "vrf").add(&conf, &pod, "eth0").result();
            let connected: Vec<_> = ["-4", "-6"].map(|family| crate::vrf::table(&pod, family, "1")).concat();
            (vrfs(&pod), master(&pod, "eth0"), pod.addresses("eth0"), connected)
        })
    };
    for keep in ["0", "1"] {
        let (ours, theirs) = (made(Suite::Ours, keep), made(Suite::Reference, keep));
        assert_eq!((&ours.0, &ours.1, &ours.2), (&theirs.0, &theirs.1, &theirs.2));
        // Debian's 1.1.1 loses the routes that do not come with addresses.
        assert!(theirs.3.iter().all(|route| ours.3.contains(route)), "{theirs:?}\n{ours:?}");
    }
}

fn handover(from: Suite, to: Suite) {
    for with_result in [true, false] {
        let host = Host::new();
        let (pod, conf) = dual_stack(&host);
        host.pair(&pod, "h-net1", "net1", &["10.5.0.2/24"]);
        let other = conf_of("net1", &["10.5.0.2/24"]);
        pod.run("ip route flush proto boot");
        host.call(from, "vrf").add(&conf, &pod, "eth0").result();
        host.call(to, "vrf").check(&conf, &pod, "eth0").done();
        host.call(to, "vrf").add(&other, &pod, "net1").result();
        host.call(from, "vrf").check(&other, &pod, "net1").done();
        let conf = if with_result { conf } else { conf.remove("prevResult") };
        host.call(to, "vrf").del(&conf, &pod, "eth0").done();
        assert_eq!((vrfs(&pod).len(), master(&pod, "eth0")), (1, None));
        host.call(to, "vrf").del(&other, &pod, "net1").done();
        assert_eq!(vrfs(&pod), []);
    }
}

#[test]
fn what_the_reference_made_we_check_and_remove() {
    needs!(Vrf, Reference);
    handover(Suite::Reference, Suite::Ours);
}

#[test]
fn what_we_made_the_reference_checks_and_removes() {
    needs!(Vrf, Reference);
    handover(Suite::Ours, Suite::Reference);
}
