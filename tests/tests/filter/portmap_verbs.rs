//! `portmap`: the verbs side by side. What ADD makes, CHECK sees missing, DEL and GC remove, and STATUS foretells; what
//! a verb costs does not depend on others; what a kernel has not is not asked for.

use std::fs;

use cni_tests::published::{From, mapping};
use cni_tests::{Conf, Container, Host, Outcome, Place, Trace, arrives_at, needs};
use serde_json::json;

const BACKENDS: [&str; 2] = ["nftables", "iptables"];

fn conf(backend: &str) -> Conf {
    Conf::portmap(backend, &json!([mapping(8080, 80, "tcp"), mapping(5353, 53, "udp")]))
}

#[test]
fn check_sees_what_add_makes_for_the_hosts_loopback() {
    needs!(Iptables);
    let damages = [
        ("sysctl -qw net.ipv4.conf.br0.route_localnet=0", "net.ipv4.conf.br0.route_localnet"),
        ("nft flush chain inet cni_portmap localnet", "localnet"),
    ];
    for backend in BACKENDS {
        for (damage, says) in damages {
            let host = Host::new();
            let (pod, conf) = host.publish("pod", &conf(backend));
            host.plugin("portmap").check(&conf, &pod, "eth0").done();
            host.run(damage);
            let error = host.plugin("portmap").check(&conf, &pod, "eth0").error();
            let says = if backend == "iptables" && says == "localnet" { "127.0.0.0/8" } else { says };
            error.says(103, &["pod", says]);
            host.plugin("portmap").add(&conf, &pod, "eth0").result();
            host.plugin("portmap").check(&conf, &pod, "eth0").done();
        }
    }
}

/// Each thing on the host that names the container or leads to it is gone after DEL, and after GC.
#[test]
fn del_and_gc_remove_each_thing_that_add_makes() {
    needs!(Iptables);
    for backend in BACKENDS {
        for gone_by_gc in [true, false] {
            let host = Host::new();
            let pod = host.container("pod");
            let conf = conf(backend).version("1.1.0").prev(&host.attach(&pod));
            host.plugin("portmap").add(&conf, &pod, "eth0").result();
            host.plugin("portmap").del(&conf, &pod, "eth0").done();
            let before = host.snapshot();
            host.plugin("portmap").add(&conf, &pod, "eth0").result();
            let made = host.snapshot().since(&before);
            assert!(made.iter().any(|line| line.contains("/run/cni/portmap/")), "{backend}: {made:?}");
            if gone_by_gc {
                host.plugin("portmap").gc(&conf, &[(&pod, "eth1")]).done();
            } else {
                host.plugin("portmap").del(&conf, &pod, "eth0").done();
            }
            host.snapshot().assert_same_as(&before, &format!("{backend}, GC: {gone_by_gc}"));
        }
    }
}

/// One of two interfaces in a network is valid: GC takes the other one's, and nothing of this one.
#[test]
fn gc_tells_the_interfaces_of_a_container_apart() {
    needs!(Iptables);
    for backend in BACKENDS {
        for valid in ["eth0", "eth1"] {
            let host = Host::new();
            let outside = host.outside();
            let pod = host.container("pod");
            let result = host.attach(&pod);
            pod.run("ip address add 10.22.0.77/24 dev eth0");
            let other = json!({ "cniVersion": "1.0.0", "ips": [{ "address": "10.22.0.77/24" }] });
            let conf = conf(backend).version("1.1.0");
            let confs = [("eth0", conf.clone().prev(&result)), ("eth1", conf.prev(&other))];
            for (ifname, conf) in &confs {
                host.plugin("portmap").add(conf, &pod, ifname).result();
            }
            host.plugin("portmap").gc(&confs[0].1, &[(&pod, valid)]).done();
            let at = arrives_at(From::Container(&outside), "198.51.100.1:8080", "tcp", &pod, 80).to_string();
            assert_eq!(at, if valid == "eth0" { "10.22.0.2" } else { "10.22.0.77" }, "{backend}");
            for (ifname, conf) in &confs {
                host.plugin("portmap").del(&conf.clone().remove("prevResult"), &pod, ifname).done();
            }
            let rules = host.run("nft list ruleset");
            assert!(!rules.contains("10.22.0.2") && !rules.contains("10.22.0.77"), "{backend}: {rules}");
        }
    }
}

#[test]
fn status_foretells_what_add_would_fail_for() {
    needs!(Iptables);
    let status = |conf: &Conf| -> Outcome {
        let host = Host::new();
        fs::create_dir_all("/run/cni").unwrap();
        host.plugin("portmap").status(&conf.clone().version("1.1.0"))
    };
    for backend in BACKENDS {
        status(&conf(backend)).done();
    }
    let mark = conf("iptables").set("externalSetMarkChain", "KUBE-MARK-MASQ");
    status(&mark).error().says(50, &["KUBE-MARK-MASQ"]);
    let unknown = conf("iptables").set("conditionsV4", json!(["-m", "no-such-match"]));
    status(&unknown).error().says(50, &["no-such-match"]);
    let host = Host::new();
    host.run("iptables -t nat -N KUBE-MARK-MASQ");
    host.plugin("portmap").status(&mark.version("1.1.0")).done();
    // Where the records cannot be, no ADD succeeds.
    for backend in BACKENDS {
        let host = Host::new();
        host.sh("mkdir -p /run/cni && touch /run/cni/portmap");
        let pod = host.container("pod");
        let conf = conf(backend).version("1.1.0").prev(&host.attach(&pod));
        host.plugin("portmap").status(&conf).error().says(50, &["/run/cni/portmap"]);
        host.plugin("portmap").add(&conf, &pod, "eth0").error().says(5, &["/run/cni/portmap"]);
    }
}

/// The records cannot be read any more: that is told, but the rules go all the same.
#[test]
fn del_and_gc_remove_the_rules_also_where_the_records_cannot_be_read() {
    needs!(Iptables);
    for backend in BACKENDS {
        for gone_by_gc in [true, false] {
            let host = Host::new();
            let (pod, conf) = host.publish("pod", &conf(backend));
            host.sh("rm -r /run/cni/portmap && touch /run/cni/portmap");
            let call = host.plugin("portmap");
            let outcome =
                if gone_by_gc { call.gc(&conf.version("1.1.0"), &[]) } else { call.del(&conf, &pod, "eth0") };
            outcome.error().says(5, &["/run/cni/portmap"]);
            let rules = host.run("nft list ruleset");
            assert!(!rules.contains("10.22.0.2") && !rules.contains("CNI-DN-"), "{backend}: {rules}");
        }
    }
}

fn hundred() -> Conf {
    Conf::portmap("nftables", &json!((10_000..10_100).map(|p| mapping(p, p, "tcp")).collect::<Vec<_>>()))
}

fn maps(host: &Host) -> Vec<String> {
    host.nft("map").iter().map(|map| map["name"].as_str().unwrap().to_owned()).collect()
}

/// Kernels before 5.6 have no maps of ranges: whoever wants none does not ask for them.
#[test]
fn maps_of_ranges_are_made_when_there_is_a_range() {
    let host = Host::new();
    let (pod, single) = host.publish("pod", &conf("nftables"));
    assert!(maps(&host).iter().all(|map| !map.contains("ranges")), "{:?}", maps(&host));
    host.plugin("portmap").check(&single, &pod, "eth0").done();
    let outside = host.outside();
    let (ranged, conf) = host.publish("ranged", &hundred());
    assert!(maps(&host).contains(&"ranges4".to_owned()), "{:?}", maps(&host));
    for port in [10_000, 10_099] {
        arrives_at(From::Container(&outside), &format!("198.51.100.1:{port}"), "tcp", &ranged, port);
    }
    arrives_at(From::Container(&outside), "198.51.100.1:8080", "tcp", &pod, 80);
    for (pod, conf) in [(&pod, &single), (&ranged, &conf)] {
        host.plugin("portmap").check(conf, pod, "eth0").done();
    }
}

/// Whichever request is refused: either ADD fails and leaves nothing, or it can do without. One is the question whether
/// the kernel has maps of ranges; without them each port is an element.
#[test]
fn a_kernel_without_maps_of_ranges_gets_single_ports() {
    needs!(Strace);
    let mut single = 0;
    for n in 1.. {
        let done = Host::fresh(|host| {
            let pod = host.container("pod");
            let conf = hundred().prev(&host.attach(&pod));
            let trace = Trace::new(&["trace=sendto"]).without_children();
            host.plugin("portmap").under(&trace.command()).add(&conf, &pod, "eth0").result();
            let length = trace.request_lengths().get(n - 1).copied()?;
            host.run("nft flush ruleset");
            host.sh("rm -r /run/cni/portmap");
            let trace = Trace::refusing(n, length);
            let outcome = host.plugin("portmap").under(&trace.command()).add(&conf, &pod, "eth0");
            let elements = |map: &serde_json::Value| map["elem"].as_array().map_or(0, Vec::len);
            let ports4 =
                host.nft("map").iter().filter(|map| map["name"] == "ports4").map(elements).sum::<usize>();
            if ports4 == 100 {
                outcome.result();
                arrives_at(From::Host, "10.22.0.1:10050", "tcp", &pod, 10_050);
            }
            Some(ports4 == 100)
        });
        match done {
            Some(is_single) => single += usize::from(is_single),
            None => break,
        }
    }
    assert_eq!(single, 1, "one request asks for maps of ranges");
}

/// Bytes that the plugin itself, without its children, receives.
fn received(host: &Host, act: impl FnOnce(cni_tests::Call) -> Outcome) -> usize {
    let trace = Trace::new(&["trace=recvfrom,recvmsg"]).without_children();
    let outcome = act(host.plugin("portmap").under(&trace.command()));
    assert_eq!(outcome.exit, Some(0), "{outcome:?}");
    let length = |line: &String| line.rsplit_once(" = ")?.1.split(' ').next()?.parse::<usize>().ok();
    trace.lines().iter().filter_map(length).sum()
}

/// What each verb receives for one container.
fn costs(host: &Host, conf: &Conf, pod: &Container) -> [(&'static str, usize); 6] {
    let bare = conf.clone().remove("runtimeConfig").remove("prevResult");
    [
        ("ADD", received(host, |call| call.add(conf, pod, "eth0"))),
        ("CHECK", received(host, |call| call.check(conf, pod, "eth0"))),
        ("DEL", received(host, |call| call.del(conf, pod, "eth0"))),
        ("DEL of nothing", received(host, |call| call.del(&bare, pod, "eth0"))),
        ("STATUS", received(host, |call| call.status(conf))),
        ("GC", received(host, |call| call.gc(&conf.clone().set("name", "nobody"), &[]))),
    ]
}

#[test]
fn what_a_verb_receives_grows_neither_with_foreign_rules_nor_with_other_mappings_but_for_one_list() {
    needs!(Iptables, Strace);
    for backend in BACKENDS {
        let host = Host::new();
        host.publish("first", &Conf::portmap(backend, &json!([mapping(1, 1, "tcp")])));
        let pod = host.container("pod");
        let conf = Conf::portmap(backend, &json!([mapping(8080, 80, "tcp"), mapping(8443, 443, "tcp")]));
        let conf = conf.version("1.1.0").prev(&host.attach(&pod));
        let alone = costs(&host, &conf, &pod);
        let mut foreign = "*nat\n:FOREIGN - [0:0]\n".to_owned();
        for n in 0..1000 {
            let chain = ["FOREIGN", "PREROUTING", "POSTROUTING", "OUTPUT"][n % 4];
            foreign += &format!("-A {chain} -s 192.0.2.{}/32 -p tcp --dport {n} -j RETURN\n", n % 250);
        }
        foreign += "COMMIT\n";
        for tool in ["iptables", "ip6tables"] {
            let rules = if tool == "iptables" {
                foreign.clone()
            } else {
                foreign.replace("192.0.2.", "2001:db8::").replace("/32", "/128")
            };
            host.feed(&format!("{tool}-restore --noflush"), &rules);
        }
        assert_eq!(costs(&host, &conf, &pod), alone, "{backend}: 1000 foreign rules");
        let others = 60;
        for n in 0..others {
            let other = host.container(&format!("other{n}"));
            let result = json!({ "cniVersion": "1.0.0", "ips": [
                { "address": format!("10.22.0.{}/24", 100 + n) }, { "address": format!("fd00:22::1:{n}/64") }] });
            let conf = Conf::portmap(backend, &json!([mapping(20_000 + n, 80, "tcp")])).prev(&result);
            host.plugin("portmap").add(&conf, &other, "eth0").result();
        }
        // One list at most: of both families, and for each container an entry, or an element and its two sources.
        let list = usize::from(others) * 2 * 3 * 400;
        for ((verb, before), (_, after)) in alone.into_iter().zip(costs(&host, &conf, &pod)) {
            let keyed = backend == "nftables" && ["ADD", "CHECK", "DEL", "STATUS"].contains(&verb);
            let most = if keyed { before } else { before + list };
            assert!(
                after <= most,
                "{backend}: {verb} receives {after} bytes with {others} others, {before} alone"
            );
        }
    }
}
