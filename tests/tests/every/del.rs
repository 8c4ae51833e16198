//! DEL of anything succeeds and leaves nothing.

use cni_tests::{Conf, Host, Place, needs};
use serde_json::json;

/// The fullest attachment of each plugin.
fn cases() -> [(&'static str, Conf); 4] {
    let bridge =
        Conf::dual_stack_bridge().set("isDefaultGateway", true).set("macspoofchk", true).set("ipMasq", true);
    let ptp = Conf::ptp().set("ipMasq", true);
    [
        ("bridge", bridge.clone().set("ipMasqBackend", "nftables")),
        ("bridge", bridge.set("ipMasqBackend", "iptables")),
        ("ptp", ptp.clone().set("ipMasqBackend", "nftables")),
        ("ptp", ptp.set("ipMasqBackend", "iptables")),
    ]
}

#[test]
fn with_everything_known() {
    needs!(Iptables);
    for (plugin, conf) in cases() {
        let host = Host::new();
        let before = host.after_one_container(plugin, &conf);
        let pod = host.container("pod");
        let result = host.plugin(plugin).add(&conf, &pod, "eth0").result();
        assert!(!host.snapshot().since(&before).is_empty());
        host.plugin(plugin).del(&conf.clone().prev(&result), &pod, "eth0").done();
        assert!(pod.find_link("eth0").is_none());
        host.snapshot().assert_same_as(&before, "DEL");
    }
}

#[test]
fn with_the_netns_gone_and_nothing_else_known() {
    needs!(Iptables);
    for (plugin, conf) in cases() {
        let host = Host::new();
        let before = host.after_one_container(plugin, &conf);
        let pod = host.container("pod");
        host.plugin(plugin).add(&conf, &pod, "eth0").result();
        pod.remove_netns();
        host.plugin(plugin).without("CNI_NETNS").del(&conf, &pod, "eth0").done();
        host.snapshot().assert_same_as(&before, "DEL without netns");
    }
}

#[test]
fn with_a_netns_that_lives_but_is_not_named() {
    for (plugin, conf) in cases() {
        let host = Host::new();
        let before = host.after_one_container(plugin, &conf);
        let pod = host.container("pod");
        host.plugin(plugin).add(&conf, &pod, "eth0").result();
        host.plugin(plugin).without("CNI_NETNS").del(&conf, &pod, "eth0").done();
        host.snapshot().assert_same_as(&before, "DEL without netns");
    }
}

#[test]
fn with_a_netns_path_that_is_missing_a_file_a_fifo_or_a_directory() {
    needs!(Iptables);
    for (plugin, conf) in cases() {
        let host = Host::new();
        let before = host.after_one_container(plugin, &conf);
        host.run("touch /run/file");
        host.run("mkfifo /run/fifo");
        for path in ["/run/netns/missing", "/run/file", "/run/fifo", "/run", "/dev/null"] {
            let pod = host.container("pod");
            host.plugin(plugin).add(&conf, &pod, "eth0").result();
            host.plugin(plugin).env("CNI_NETNS", path).del(&conf, &pod, "eth0").done();
            host.snapshot().assert_same_as(&before, path);
            pod.remove_netns();
        }
    }
}

#[test]
fn with_a_netns_file_whose_namespace_is_gone() {
    for (plugin, conf) in cases() {
        let host = Host::new();
        let before = host.after_one_container(plugin, &conf);
        let pod = host.container("pod");
        host.plugin(plugin).add(&conf, &pod, "eth0").result();
        pod.unmount_netns();
        host.plugin(plugin).del(&conf, &pod, "eth0").done();
        host.snapshot().assert_same_as(&before, "DEL");
    }
}

#[test]
fn twice_and_before_any_add() {
    for (plugin, conf) in cases() {
        let host = Host::new();
        let pod = host.container("pod");
        let before = host.snapshot();
        host.plugin(plugin).del(&conf, &pod, "eth0").done();
        let left = host.snapshot().since(&before);
        assert!(left.iter().all(|l| l.contains("/var/lib/cni/networks")), "DEL made something: {left:?}");
        host.plugin(plugin).add(&conf, &pod, "eth0").result();
        host.plugin(plugin).del(&conf, &pod, "eth0").done();
        host.plugin(plugin).del(&conf, &pod, "eth0").done();
    }
}

#[test]
fn with_a_garbage_prev_result() {
    for (plugin, conf) in cases() {
        let host = Host::new();
        let before = host.after_one_container(plugin, &conf);
        let other_family = json!({ "cniVersion": "0.2.0", "ip4": { "ip": "10.22.0.2/24" } });
        for garbage in [json!("text"), json!([1]), json!({ "ips": 7 }), other_family, json!(null)] {
            let pod = host.container("pod");
            host.plugin(plugin).add(&conf, &pod, "eth0").result();
            host.plugin(plugin).del(&conf.clone().prev(&garbage), &pod, "eth0").done();
            host.snapshot().assert_same_as(&before, &garbage.to_string());
            pod.remove_netns();
        }
    }
}

#[test]
fn twenty_at_once() {
    needs!(Iptables);
    for (plugin, conf) in cases() {
        let host = Host::new();
        let before = host.after_one_container(plugin, &conf);
        let pod = host.container("pod");
        let result = host.plugin(plugin).add(&conf, &pod, "eth0").result();
        let conf = conf.prev(&result);
        std::thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| host.plugin(plugin).del(&conf, &pod, "eth0").done());
            }
        });
        host.snapshot().assert_same_as(&before, "20 DELs");
    }
}

#[test]
fn with_parts_gone_already() {
    needs!(Iptables);
    for (plugin, conf) in cases() {
        for gone in [
            "nsenter --net=/run/netns/pod ip link del eth0",
            "nft flush ruleset",
            "rm -r /var/lib/cni/networks",
            "iptables -t nat -F POSTROUTING",
            "ip link del br0",
        ] {
            if plugin == "ptp" && gone.ends_with("br0") || gone.starts_with("iptables") && !is_iptables(&conf)
            {
                continue;
            }
            let host = Host::new();
            let pod = host.container("pod");
            let result = host.plugin(plugin).add(&conf, &pod, "eth0").result();
            host.run(gone);
            host.plugin(plugin).del(&conf.clone().prev(&result), &pod, "eth0").done();
            let left = host.snapshot();
            let left: Vec<_> = [
                "veth",
                "10.22.0.2 ",
                "10.22.0.2/",
                "10.33.0.2 ",
                "10.33.0.2/",
                "id: pod",
                "id: \\\"pod",
                "-pod-",
            ]
            .iter()
            .flat_map(|part| left.lines_with(part))
            .collect();
            assert!(left.is_empty(), "{plugin}, {gone}: {left:?}");
        }
    }
}

fn is_iptables(conf: &Conf) -> bool {
    conf.text().contains("\"iptables\"")
}

#[test]
fn one_interface_does_not_touch_the_other() {
    for (plugin, conf) in cases() {
        let host = Host::new();
        let pod = host.container("pod");
        host.plugin(plugin).add(&conf, &pod, "eth0").result();
        let before = host.snapshot();
        let addresses = pod.addresses("eth0");
        if is_iptables(&conf) {
            // The reference's chain is per container, not per interface: known and kept.
            continue;
        }
        host.plugin(plugin).add(&conf, &pod, "eth1").result();
        host.plugin(plugin).del(&conf, &pod, "eth1").done();
        host.snapshot().assert_same_as(&before, "DEL of eth1");
        assert_eq!(pod.addresses("eth0"), addresses);
    }
}

/// A runtime reuses the path, or the number of the process whose namespace it names: the other end's tag decides.
#[test]
fn with_a_netns_that_is_another_containers_by_now() {
    needs!(Iptables);
    for (plugin, conf) in cases() {
        let host = Host::new();
        let alive = host.container("alive");
        let result = host.plugin(plugin).add(&conf, &alive, "eth0").result();
        let before = host.snapshot();
        let dead = host.container("dead");
        host.plugin(plugin).add(&conf, &dead, "eth0").result();
        dead.remove_netns();
        for _ in 0..2 {
            host.plugin(plugin).env("CNI_NETNS", alive.netns()).del(&conf, &dead, "eth0").done();
            host.snapshot().assert_same_as(&before, "DEL of the dead one");
        }
        host.plugin(plugin).check(&conf.clone().prev(&result), &alive, "eth0").done();
        // Another network's, of the same container.
        let other = conf.set("name", "other");
        host.plugin(plugin).del(&other, &alive, "eth0").done();
        assert!(alive.find_link("eth0").is_some());
    }
}

#[test]
fn a_pair_within_the_container_stays() {
    for (plugin, conf) in cases() {
        let host = Host::new();
        let pod = host.container("pod");
        pod.run("ip link add eth0 type veth peer name other");
        host.plugin(plugin).del(&conf, &pod, "eth0").done();
        assert_eq!(pod.link("eth0")["link"], "other");
    }
}

#[test]
fn without_netns_when_another_link_had_the_first_name_of_the_host_end() {
    for (plugin, conf) in cases() {
        let host = Host::new();
        let before = host.after_one_container(plugin, &conf);
        let pod = host.container("pod");
        let port = |result: serde_json::Value| {
            let names: Vec<_> =
                result["interfaces"].as_array().unwrap().iter().map(|i| i["name"].clone()).collect();
            names
                .iter()
                .filter_map(|name| name.as_str())
                .find(|name| name.starts_with("veth"))
                .unwrap()
                .to_owned()
        };
        let first = port(host.plugin(plugin).add(&conf, &pod, "eth0").result());
        host.plugin(plugin).del(&conf, &pod, "eth0").done();
        host.run(&format!("ip link add {first} type bridge"));
        let second = port(host.plugin(plugin).add(&conf, &pod, "eth0").result());
        assert_ne!(second, first);
        host.run(&format!("ip link del {first}"));
        host.plugin(plugin).without("CNI_NETNS").del(&conf, &pod, "eth0").done();
        host.snapshot().assert_same_as(&before, "DEL without netns");
    }
}

#[test]
fn the_bridge_name_may_have_changed() {
    let host = Host::new();
    let pod = host.container("pod");
    host.plugin("bridge").add(&Conf::bridge(), &pod, "eth0").result();
    host.plugin("bridge").del(&Conf::bridge().set("bridge", "other"), &pod, "eth0").done();
    assert!(pod.find_link("eth0").is_none());
    assert!(host.find_link("other").is_none());
}
