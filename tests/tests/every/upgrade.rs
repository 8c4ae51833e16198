//! A node is upgraded by replacing the executables while containers run: what either suite made, the other removes.

use cni_tests::{Conf, Container, Host, Place, Suite, needs};

fn cases() -> Vec<(&'static str, Conf)> {
    let masquerade = |conf: Conf| conf.set("ipMasq", true).set("ipMasqBackend", "iptables");
    vec![
        ("bridge", Conf::bridge()),
        ("bridge", masquerade(Conf::dual_stack_bridge().set("isDefaultGateway", true))),
        ("bridge", Conf::dual_stack_bridge().set("isGateway", true).set("macspoofchk", true)),
        ("bridge", Conf::layer2_bridge()),
        ("ptp", masquerade(Conf::ptp())),
        ("loopback", Conf::loopback()),
    ]
}

/// ADD by one, DEL by the other, with and without the result of the ADD.
fn handover(from: Suite, to: Suite) {
    for (plugin, conf) in cases() {
        let host = Host::new();
        for suite in [from, to] {
            let pod = host.container("first");
            let result = host.call(suite, plugin).add(&conf, &pod, "eth0").result();
            host.call(suite, plugin).del(&conf.clone().prev(&result), &pod, "eth0").done();
            pod.remove_netns();
        }
        let before = host.snapshot();
        for with_result in [true, false] {
            let pod = host.container("pod");
            let result = host.call(from, plugin).add(&conf, &pod, "eth0").result();
            let conf = if with_result { conf.clone().prev(&result) } else { conf.clone() };
            host.call(to, plugin).del(&conf, &pod, "eth0").done();
            assert!(pod.find_link("eth0").is_none());
            // Of our records the reference knows nothing; they go with a reboot, or with a GC of ours.
            let mut left = host.snapshot().since(&before);
            left.retain(|line| !line.contains("/run/cni/masquerade/"));
            assert!(left.is_empty(), "DEL by the other suite: {left:#?} {}", conf.text());
            pod.remove_netns();
        }
    }
}

#[test]
fn what_the_reference_made_we_remove() {
    needs!(Reference, Iptables);
    handover(Suite::Reference, Suite::Ours);
}

#[test]
fn what_we_made_the_reference_removes() {
    needs!(Reference, Iptables);
    handover(Suite::Ours, Suite::Reference);
}

/// The kernel takes the links of a namespace apart some time after its end; here they are gone first.
fn dies(pod: &Container) {
    pod.try_run("ip link del eth0");
    pod.remove_netns();
}

/// Where the reference leaves its masquerade and spoof-check rules behind for ever.
#[test]
fn what_the_reference_made_we_remove_without_netns_and_result() {
    needs!(Reference, Iptables);
    for (plugin, conf) in cases() {
        let host = Host::new();
        let first = host.container("of-the-reference");
        host.reference(plugin).add(&conf, &first, "eth0").result();
        host.plugin(plugin).del(&conf, &first, "eth0").done();
        let before = host.after_one_container(plugin, &conf);
        let pod = host.container("pod");
        host.reference(plugin).add(&conf, &pod, "eth0").result();
        dies(&pod);
        host.plugin(plugin).without("CNI_NETNS").del(&conf, &pod, "eth0").done();
        host.snapshot().assert_same_as(&before, &format!("DEL without netns: {}", conf.text()));
    }
}

#[test]
fn check_and_gc_of_what_the_reference_made() {
    needs!(Reference, Iptables);
    for (plugin, conf) in cases() {
        // The reference's spoof-check rules name no network, so GC of one network must not judge them.
        let conf = conf.set("macspoofchk", false);
        let host = Host::new();
        let before = host.after_one_container(plugin, &conf);
        let pod = host.container("pod");
        let result = host.reference(plugin).add(&conf, &pod, "eth0").result();
        host.plugin(plugin).check(&conf.clone().prev(&result), &pod, "eth0").done();
        let with = host.snapshot();
        let conf = conf.version("1.1.0");
        host.plugin(plugin).gc(&conf, &[(&pod, "eth0")]).done();
        host.snapshot().assert_same_as(&with, "a GC that keeps it");
        dies(&pod);
        host.plugin(plugin).gc(&conf, &[]).done();
        host.snapshot().assert_same_as(&before, &format!("GC: {}", conf.text()));
    }
}

#[test]
fn both_give_out_addresses_of_one_range_without_a_clash() {
    needs!(Reference);
    let host = Host::new();
    let conf = Conf::bridge();
    let mut addresses = Vec::new();
    for n in 0..10 {
        let pod = host.container(&format!("pod{n}"));
        let call = if n % 2 == 0 { host.plugin("bridge") } else { host.reference("bridge") };
        let result = call.add(&conf, &pod, "eth0").result();
        addresses.push(result["ips"][0]["address"].as_str().unwrap().to_owned());
    }
    let expected: Vec<_> = (2..12).map(|n| format!("10.22.0.{n}/24")).collect();
    assert_eq!(addresses, expected, "each goes on where the other stopped");
}
