//! Input that is well formed and cannot be served: namespaces, IPAM answers, names and addresses that are taken. One
//! JSON error that names the obstacle, and nothing made.

use cni_tests::{Conf, Host, IpamScript, Place};
use serde_json::json;

#[test]
fn a_netns_that_is_none() {
    let host = Host::new();
    host.run("mkfifo /run/fifo");
    host.run("touch /run/file");
    let before = host.snapshot();
    let pod = host.container("pod");
    for plugin in ["bridge", "ptp", "loopback"] {
        let conf = if plugin == "ptp" { Conf::ptp() } else { Conf::bridge() };
        for path in ["/run/missing", "/run/file", "/run/fifo", "/run", "/dev/null", "/dev/zero", "relative"] {
            let outcome = host.plugin(plugin).env("CNI_NETNS", path).add(&conf, &pod, "eth0");
            outcome.error().says(8, &[path]);
            host.snapshot().assert_same_as(&before, path);
        }
    }
}

#[test]
fn a_netns_that_is_our_own() {
    let host = Host::new();
    let pod = host.container("pod");
    let before = host.snapshot();
    for plugin in ["bridge", "ptp", "loopback"] {
        let own = || host.plugin(plugin).env("CNI_NETNS", "/proc/self/ns/net");
        own().add(&Conf::bridge(), &pod, "eth0").error().says(8, &["should not be the same"]);
        own().del(&Conf::bridge(), &pod, "eth0").error().says(8, &["should not be the same"]);
        host.snapshot().assert_same_as(&before, plugin);
    }
}

#[test]
fn a_namespace_of_another_kind() {
    let host = Host::new();
    let pod = host.container("pod");
    let outcome =
        host.plugin("bridge").env("CNI_NETNS", "/proc/self/ns/uts").add(&Conf::bridge(), &pod, "eth0");
    outcome.error().says(8, &["/proc/self/ns/uts"]);
}

#[test]
fn an_ipam_plugin_that_fails_answers_garbage_or_no_addresses() {
    for plugin in ["bridge", "ptp"] {
        let base = || if plugin == "ptp" { Conf::ptp() } else { Conf::bridge() };
        let table: [(&str, u64, &str); 6] = [
            ("echo '{\"cniVersion\":\"1.0.0\",\"code\":123,\"msg\":\"no more\"}'; exit 1", 123, "no more"),
            ("echo 'out of order' >&2; exit 3", 102, "out of order"),
            ("exit 4", 102, "4"),
            ("echo garbage", 102, "garbage"),
            ("echo '{\"cniVersion\":\"1.0.0\"}'", 102, "missing IP config"),
            ("echo '{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"nonsense\"}]}'", 102, "nonsense"),
        ];
        for (commands, code, part) in table {
            let host = Host::new();
            host.after_one_container(plugin, &base());
            let ipam = IpamScript::that_runs(&host, commands);
            let pod = host.container("pod");
            let before = host.snapshot();
            let error = host.plugin(plugin).add(&ipam.for_conf(base()), &pod, "eth0").error();
            error.says(code, &[part]);
            assert_eq!(ipam.calls(), ["ADD", "DEL"], "a delegated ADD that failed is followed by a DEL");
            assert!(pod.find_link("eth0").is_none());
            host.snapshot().assert_same_as(&before, commands);
        }
    }
}

#[test]
fn a_name_that_is_busy_in_the_container() {
    for (plugin, conf) in [("bridge", Conf::bridge()), ("ptp", Conf::ptp())] {
        let host = Host::new();
        let before = host.after_one_container(plugin, &conf);
        let pod = host.container("pod");
        pod.run("ip link add eth0 type veth peer name other");
        let error = host.plugin(plugin).add(&conf, &pod, "eth0").error();
        assert!(error.text.contains("eth0") && error.text.contains("exist"), "{error:?}");
        assert_eq!(pod.link("eth0")["link"], "other", "the link that was there is untouched");
        host.snapshot().assert_same_as(&before, "a refused ADD");
    }
}

#[test]
fn a_bridge_name_that_another_kind_of_link_has() {
    let host = Host::new();
    host.after_one_container("bridge", &Conf::bridge());
    host.run("ip link add taken type veth peer name other");
    let before = host.snapshot();
    let pod = host.container("pod");
    let error = host.plugin("bridge").add(&Conf::bridge().set("bridge", "taken"), &pod, "eth0").error();
    error.says(7, &["taken", "bridge", "veth"]);
    assert!(pod.find_link("eth0").is_none());
    host.snapshot().assert_same_as(&before, "a refused ADD");
}

#[test]
fn an_address_that_is_taken_and_a_range_that_is_full() {
    let host = Host::new();
    let small = Conf::bridge().ranges(&["10.22.0.0/30"]);
    host.plugin("bridge").add(&small, &host.container("first"), "eth0").result();
    let pod = host.container("pod");
    let before = host.snapshot();
    let error = host.plugin("bridge").add(&small, &pod, "eth0").error();
    assert!(
        error.text.contains("no IP addresses available in range set") && error.text.contains("10.22.0.2")
    );
    host.snapshot().assert_same_as(&before, "a full range");
    let wanted = small.set("runtimeConfig", json!({ "ips": ["10.22.0.2"] }));
    let error = host.plugin("bridge").add(&wanted, &pod, "eth0").error();
    assert!(error.text.contains("10.22.0.2"), "{error:?}");
    host.snapshot().assert_same_as(&before, "an address that is taken");
}
