//! `ipMasq`, with both backends: what packets see, what is in the ruleset, and that it goes.

use cni_tests::{Conf, Container, Host, Place, needs, run};

const BACKENDS: [&str; 2] = ["nftables", "iptables"];

fn conf(backend: &str) -> Conf {
    Conf::dual_stack_bridge().set("isDefaultGateway", true).set("ipMasq", true).set("ipMasqBackend", backend)
}

fn reaches_outside(pod: &Container) -> [bool; 2] {
    ["198.51.100.2", "2001:db8:51::2"].map(|target| pod.pings(target))
}

#[test]
fn without_it_nobody_outside_answers() {
    let host = Host::new();
    let _outside = host.outside();
    let pod = host.container("pod");
    host.plugin("bridge").add(&conf("nftables").set("ipMasq", false), &pod, "eth0").result();
    assert_eq!(reaches_outside(&pod), [false, false]);
}

#[test]
fn bridge_containers_reach_the_outside_as_the_host() {
    needs!(Iptables);
    for backend in BACKENDS {
        let host = Host::new();
        let outside = host.outside();
        outside.run("nft add table inet seen");
        outside.run("nft add chain inet seen in { type filter hook input priority 0 ; }");
        outside.run("nft add rule inet seen in icmp type echo-request ip saddr 198.51.100.1 counter");
        let pod = host.container("pod");
        host.plugin("bridge").add(&conf(backend), &pod, "eth0").result();
        assert_eq!(reaches_outside(&pod), [true, true], "{backend}");
        let rule = &outside.nft("rule")[0];
        let counter = rule["expr"].as_array().unwrap().iter().find_map(|e| e.get("counter")).unwrap();
        assert_eq!(counter["packets"], 1, "{backend}: the outside saw the host's address");
    }
}

#[test]
fn ptp_containers_reach_the_outside_as_the_host() {
    needs!(Iptables);
    for backend in BACKENDS {
        let host = Host::new();
        let _outside = host.outside();
        let pod = host.container("pod");
        let routes = serde_json::json!([{ "dst": "0.0.0.0/0" }, { "dst": "::/0" }]);
        let conf = Conf::ptp().ipam("routes", routes).set("ipMasq", true).set("ipMasqBackend", backend);
        host.plugin("ptp").add(&conf, &pod, "eth0").result();
        assert_eq!(reaches_outside(&pod), [true, true], "{backend}");
    }
}

#[test]
fn traffic_within_the_network_keeps_its_source() {
    needs!(Iptables);
    for backend in BACKENDS {
        let host = Host::new();
        let (one, two) = (host.container("one"), host.container("two"));
        for pod in [&one, &two] {
            host.plugin("bridge").add(&conf(backend), pod, "eth0").result();
        }
        two.run("nft add table inet seen");
        two.run("nft add chain inet seen in { type filter hook input priority 0 ; policy drop ; }");
        two.run("nft add rule inet seen in ip saddr 10.22.0.2 accept");
        assert!(one.pings("10.22.0.3"), "{backend}");
    }
}

#[test]
fn each_container_of_several_is_masqueraded_until_it_goes() {
    needs!(Iptables);
    for backend in BACKENDS {
        let host = Host::new();
        let _outside = host.outside();
        let pods = ["one", "two", "three"].map(|id| host.container(id));
        for pod in &pods {
            host.plugin("bridge").add(&conf(backend), pod, "eth0").result();
        }
        host.plugin("bridge").del(&conf(backend), &pods[1], "eth0").done();
        assert_eq!(reaches_outside(&pods[0]), [true, true], "{backend}");
        assert_eq!(reaches_outside(&pods[2]), [true, true], "{backend}");
        let rules = format!("{}{}", host.run("iptables-save"), host.run("nft list ruleset"));
        assert!(!rules.contains("10.22.0.3"), "{backend}: {rules}");
    }
}

#[test]
fn iptables_rules_have_the_references_text() {
    needs!(Iptables);
    let host = Host::new();
    let pod = host.container("pod");
    host.plugin("bridge").add(&conf("iptables"), &pod, "eth0").result();
    // CNI- and the start of the SHA-512 of "netpod", by sha512sum.
    let hash = run(&mut host.command("sha512sum"), b"netpod").stdout;
    let hash = String::from_utf8(hash).unwrap();
    let chain = format!("CNI-{}", &hash[..24]);
    let comment = r#"-m comment --comment "name: \"net\" id: \"pod\"""#;
    for (tool, ip, net, multicast) in [
        ("iptables-save", "10.22.0.2/32", "10.22.0.0/24", "224.0.0.0/4"),
        ("ip6tables-save", "fd00:22::2/128", "fd00:22::/64", "ff00::/8"),
    ] {
        let rules = host.run(&format!("{tool} -t nat"));
        for rule in [
            format!("-A POSTROUTING -s {ip} {comment} -j {chain}"),
            format!("-A {chain} -d {net} {comment} -j ACCEPT"),
            format!("-A {chain} ! -d {multicast} {comment} -j MASQUERADE"),
        ] {
            assert_eq!(rules.lines().filter(|l| *l == rule).count(), 1, "{rule}\n{rules}");
        }
    }
}

#[test]
fn every_nftables_object_of_a_container_names_its_owner() {
    let host = Host::new();
    let before = host.after_one_container("bridge", &conf("nftables"));
    let pod = host.container("pod");
    host.plugin("bridge").add(&conf("nftables"), &pod, "eth0").result();
    let ruleset = host.run("nft list ruleset");
    // The reference's comment: hashes of the network and of "eth0:pod", then the names.
    assert!(ruleset.contains("net: net, if: eth0, id: pod"), "{ruleset}");
    host.plugin("bridge").del(&conf("nftables"), &pod, "eth0").done();
    host.snapshot().assert_same_as(&before, "DEL");
}

#[test]
fn without_a_choice_a_usable_backend_is_taken() {
    let host = Host::new();
    let _outside = host.outside();
    let pod = host.container("pod");
    let conf = conf("nftables").remove("ipMasqBackend");
    host.plugin("bridge").add(&conf, &pod, "eth0").result();
    assert_eq!(reaches_outside(&pod), [true, true]);
}

#[test]
fn del_removes_it_whatever_the_configuration_says_now() {
    needs!(Iptables);
    for backend in BACKENDS {
        let host = Host::new();
        let before = host.after_one_container("bridge", &conf(backend));
        let pod = host.container("pod");
        host.plugin("bridge").add(&conf(backend), &pod, "eth0").result();
        let changed = conf(backend).remove("ipMasqBackend").set("ipMasq", false);
        host.plugin("bridge").without("CNI_NETNS").del(&changed, &pod, "eth0").done();
        let left = host.snapshot().since(&before);
        assert!(left.is_empty(), "{backend}: {left:?}");
    }
}

#[test]
fn rules_of_others_stay() {
    needs!(Iptables);
    for backend in BACKENDS {
        let host = Host::new();
        let pod = host.container("pod");
        host.run("iptables -t nat -A POSTROUTING -s 10.22.0.2/32 -j RETURN");
        host.run("iptables -t nat -N CNI-mine");
        host.run("nft add table inet mine");
        host.run("nft add chain inet mine c { type nat hook postrouting priority 90 ; }");
        host.run("nft add rule inet mine c ip saddr 10.22.0.2 return");
        host.plugin("bridge").add(&conf(backend), &pod, "eth0").result();
        host.plugin("bridge").del(&conf(backend), &pod, "eth0").done();
        let rules = host.run("iptables-save -t nat");
        assert!(
            rules.contains("-A POSTROUTING -s 10.22.0.2/32 -j RETURN") && rules.contains(":CNI-mine"),
            "{rules}"
        );
        assert!(host.run("nft list table inet mine").contains("ip saddr 10.22.0.2 return"));
    }
}

#[test]
fn several_addresses_of_one_family_are_all_masqueraded() {
    needs!(Iptables);
    for backend in BACKENDS {
        let host = Host::new();
        let _outside = host.outside();
        let conf = conf(backend).ranges(&["10.22.0.0/24", "10.23.0.0/24"]).set("isDefaultGateway", false);
        let routes = serde_json::json!([{ "dst": "0.0.0.0/0", "gw": "10.22.0.99" }]);
        let conf = conf.ipam("routes", routes).set("isGateway", false);
        let before = host.after_one_container("bridge", &conf);
        host.run("sysctl -qw net.ipv4.ip_forward=1");
        host.run("ip address add 10.22.0.99/24 dev br0");
        host.run("ip route add 10.23.0.0/24 dev br0");
        let pod = host.container("pod");
        let result = host.plugin("bridge").add(&conf, &pod, "eth0").result();
        for source in ["10.22.0.3", "10.23.0.3"] {
            let ping = pod.try_run(&format!("ping -n -c 1 -W 2 -I {source} 198.51.100.2"));
            assert!(ping.status.success(), "{backend} {source}");
        }
        host.run("ip route del 10.23.0.0/24 dev br0");
        host.run("ip address del 10.22.0.99/24 dev br0");
        host.plugin("bridge").del(&conf.prev(&result), &pod, "eth0").done();
        host.snapshot().assert_same_as(&before, "DEL");
    }
}

/// What eth0 has in either backend.
fn rules(host: &Host) -> String {
    let saved = ["iptables-save -t nat", "ip6tables-save -t nat"].map(|line| host.run(line)).concat();
    let lines = saved.lines().filter(|line| line.starts_with("-A") || line.starts_with(":CNI"));
    lines.map(|line| format!("{line}\n")).chain([host.run("nft -s list table inet cni_masquerade")]).collect()
}

#[test]
fn a_second_interface_that_fails_leaves_the_first_masqueraded() {
    needs!(Iptables);
    for plugin in ["bridge", "ptp"] {
        for backend in BACKENDS {
            let host = Host::new();
            let pod = host.container("pod");
            let conf = if plugin == "bridge" { conf(backend) } else { Conf::ptp().set("ipMasq", true) };
            let conf = conf.set("ipMasqBackend", backend);
            host.run("nft add table inet cni_masquerade");
            let result = host.plugin(plugin).add(&conf, &pod, "eth0").result();
            let before = rules(&host);
            // The result cannot be told: the attachment is taken back by DEL.
            let untold = ["sh", "-c", "exec \"$@\" > /dev/full", "sh"];
            let outcome = host.plugin(plugin).under(&untold).add(&conf, &pod, "eth1");
            assert_ne!(outcome.exit, Some(0), "{plugin} {backend}");
            assert_eq!(rules(&host), before, "{plugin} {backend}: a full stdout");
            if backend == "iptables" {
                host.run("mkdir -p /run/tools");
                host.sh("printf '#!/bin/sh\\nexit 1\\n' > /run/tools/ip6tables-restore");
                host.run("chmod 755 /run/tools/ip6tables-restore");
                let path = "/run/tools:/usr/sbin:/usr/bin:/bin";
                host.plugin(plugin)
                    .env("PATH", path)
                    .add(&conf, &pod, "eth1")
                    .error()
                    .says(101, &["ip6tables"]);
                assert_eq!(rules(&host), before, "{plugin}: half of the rules");
            }
            // Whatever the runtime does about it, with or without a result.
            host.plugin(plugin).del(&conf, &pod, "eth1").done();
            assert_eq!(rules(&host), before, "{plugin} {backend}: DEL");
            host.plugin(plugin).check(&conf.clone().prev(&result), &pod, "eth0").done();
            host.plugin(plugin).del(&conf.prev(&result), &pod, "eth0").done();
            let left = rules(&host);
            assert!(!left.contains("10.22.0.2") && !left.contains("10.33.0.2"), "{plugin} {backend}: {left}");
        }
    }
}
