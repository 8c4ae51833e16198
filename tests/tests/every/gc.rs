//! GC removes everything of attachments that are not valid, and nothing else.

use cni_tests::{Conf, Host, IpamScript, Place, in_every_version, needs};

in_every_version!(gate as versions);

fn gate(version: &str) {
    for (plugin, conf) in [("bridge", Conf::bridge()), ("ptp", Conf::ptp()), ("loopback", Conf::loopback())] {
        let host = Host::new();
        let outcome = host.plugin(plugin).gc(&conf.version(version), &[]);
        if version == "1.1.0" {
            outcome.done();
        } else {
            outcome.error().says(1, &["GC", "1.1.0"]);
        }
    }
}

fn cases() -> [(&'static str, Conf); 4] {
    let bridge = Conf::dual_stack_bridge().set("isDefaultGateway", true).set("macspoofchk", true);
    let with =
        |conf: Conf, backend: &str| conf.set("ipMasq", true).set("ipMasqBackend", backend).version("1.1.0");
    [
        ("bridge", with(bridge.clone(), "nftables")),
        ("bridge", with(bridge, "iptables")),
        ("ptp", with(Conf::ptp(), "nftables")),
        ("ptp", with(Conf::ptp(), "iptables")),
    ]
}

#[test]
fn what_is_not_valid_goes_and_what_is_valid_works() {
    needs!(Iptables);
    for (plugin, conf) in cases() {
        let host = Host::new();
        host.after_one_container(plugin, &conf);
        let keep = host.container("keep");
        let result = host.plugin(plugin).add(&conf, &keep, "eth0").result();
        let before = host.snapshot();
        let dead = host.container("dead");
        let lost = host.container("lost");
        for pod in [&dead, &lost] {
            host.plugin(plugin).add(&conf, pod, "eth0").result();
        }
        // One container is gone as runtimes leave it, of the other only the runtime's memory is gone.
        dead.remove_netns();
        host.plugin(plugin).gc(&conf, &[(&keep, "eth0")]).done();
        host.snapshot().assert_same_as(&before, "GC");
        host.plugin(plugin).check(&conf.clone().prev(&result), &keep, "eth0").done();
        host.plugin(plugin).gc(&conf, &[(&keep, "eth0")]).done();
        host.snapshot().assert_same_as(&before, "the second GC");
    }
}

#[test]
fn an_empty_list_removes_all_of_this_network_only() {
    needs!(Iptables);
    for (plugin, conf) in cases() {
        let host = Host::new();
        let ranges = if plugin == "ptp" { "10.44.0.0/24" } else { "fd00:44::/64" };
        let neighbour = conf.clone().set("name", "other").ranges(&[ranges]);
        let other = host.container("pod");
        let result = host.plugin(plugin).add(&neighbour, &other, "other0").result();
        let before = host.after_one_container(plugin, &conf);
        host.plugin(plugin).add(&conf, &other, "eth0").result();
        host.plugin(plugin).add(&conf, &host.container("two"), "eth0").result();
        host.plugin(plugin).gc(&conf, &[]).done();
        host.snapshot().assert_same_as(&before, "GC");
        host.plugin(plugin).check(&neighbour.prev(&result), &other, "other0").done();
    }
}

#[test]
fn one_interface_of_a_container_may_be_valid_and_another_not() {
    let host = Host::new();
    let (plugin, conf) = &cases()[0];
    host.after_one_container(plugin, conf);
    let pod = host.container("pod");
    host.plugin(plugin).add(conf, &pod, "eth0").result();
    let before = host.snapshot();
    host.plugin(plugin).add(conf, &pod, "eth1").result();
    host.plugin(plugin).gc(conf, &[(&pod, "eth0")]).done();
    host.snapshot().assert_same_as(&before, "GC");
    assert!(pod.find_link("eth0").is_some() && pod.find_link("eth1").is_none());
}

#[test]
fn links_of_others_stay() {
    let host = Host::new();
    host.run("ip link add veth12345678 type veth peer name mine");
    host.run("ip link add name br0 type bridge");
    host.run("ip link set veth12345678 master br0");
    let before = host.snapshot();
    host.plugin("bridge").gc(&Conf::layer2_bridge().version("1.1.0"), &[]).done();
    host.snapshot().assert_same_as(&before, "GC");
}

#[test]
fn it_is_forwarded_to_ipam_and_its_failure_reported_after_the_rest() {
    let host = Host::new();
    let ipam = IpamScript::that_runs_on(&host, "GC", r#"echo '{"code":77,"msg":"cannot collect"}'; exit 1"#);
    for (plugin, conf) in [("bridge", Conf::layer2_bridge()), ("ptp", Conf::ptp())] {
        let conf = ipam.for_conf(conf.version("1.1.0"));
        host.plugin(plugin).gc(&conf, &[]).error().says(77, &["cannot collect"]);
    }
    assert_eq!(ipam.calls(), ["GC", "GC"]);
}

#[test]
fn without_the_list_nothing_is_freed_and_stderr_says_so() {
    let host = Host::new();
    let (plugin, conf) = &cases()[0];
    host.plugin(plugin).add(conf, &host.container("pod"), "eth0").result();
    let before = host.snapshot();
    // The specification makes the list mandatory; a call without it must not be taken for "nothing is valid".
    host.plugin(plugin).run("GC", conf.text().as_bytes()).freed_nothing();
    host.snapshot().assert_same_as(&before, "GC without a list");
}
