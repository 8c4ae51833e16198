//! `portmap`: what is in the ruleset, what CHECK says of it, and whom a port belongs to.

use cni_tests::published::{From, mapping, tcp};
use cni_tests::{Conf, Host, Place, Trace, needs};
use serde_json::{Value, json};

const BACKENDS: [&str; 2] = ["nftables", "iptables"];

fn some() -> Value {
    json!([mapping(8080, 80, "tcp"), mapping(8443, 443, "tcp"), mapping(5353, 53, "udp")])
}

fn rules(host: &Host) -> Vec<String> {
    let save = |tool: &str| host.run(&format!("{tool} -t nat"));
    let all = save("iptables-save") + &save("ip6tables-save");
    let rules = all.lines().filter(|line| line.starts_with("-A") || line.starts_with(":CNI"));
    rules.map(|line| line.split(" [").next().unwrap().to_owned()).collect()
}

/// Each case on two hosts, by the reference and by ours: the same rules in the same order.
#[test]
fn iptables_rules_are_the_references() {
    needs!(Reference, Iptables);
    let with_ip = |ip: &str| json!({ "hostPort": 99, "containerPort": 9, "protocol": "udp", "hostIP": ip });
    let many: Vec<_> = (1000..1040).map(|port| mapping(port, port + 1, "tcp")).collect();
    let plain = || Conf::portmap("iptables", &some());
    let cases = [
        plain(),
        plain().set("snat", false),
        plain().set("markMasqBit", 5),
        plain().set("externalSetMarkChain", "PREROUTING-MARK"),
        plain()
            .set("conditionsV4", json!(["!", "-d", "192.0.2.0/24"]))
            .set("conditionsV6", json!(["-i", "eth7"])),
        Conf::portmap("iptables", &json!([with_ip("198.51.100.1"), mapping(99, 9, "tcp")])),
        Conf::portmap("iptables", &json!([with_ip("fd00::1"), mapping(98, 9, "udp")])),
        Conf::portmap("iptables", &json!([with_ip("0.0.0.0"), mapping(98, 9, "tcp")])),
        Conf::portmap("iptables", &json!(many)),
    ];
    for conf in cases {
        // Debian's release knows no `backend`; iptables is all it has.
        let made = [true, false].map(|ours| {
            Host::fresh(|host| {
                for tool in ["iptables", "ip6tables"] {
                    host.run(&format!("{tool} -t nat -N PREROUTING-MARK"));
                }
                let pod = host.container("pod");
                let conf = conf.clone().prev(&host.attach(&pod));
                for _ in 0..2 {
                    let call = if ours { host.plugin("portmap") } else { host.reference("portmap") };
                    call.add(&conf, &pod, "eth0").result();
                }
                rules(host)
            })
        });
        assert_eq!(made[0], made[1], "{}", conf.text());
        assert!(made[0].len() > 5);
    }
}

#[test]
fn add_runs_one_restore_per_family_and_nftables_and_del_run_nothing() {
    needs!(Iptables, Strace);
    for (backend, expected) in [("nftables", 0), ("iptables", 2)] {
        let host = Host::new();
        host.publish("first", &Conf::portmap(backend, &json!([mapping(1, 1, "tcp")])));
        let pod = host.container("pod");
        let conf = Conf::portmap(backend, &some()).prev(&host.attach(&pod));
        let children = |trace: &Trace| trace.lines().iter().filter(|l| l.contains("execve(")).count() - 1;
        let trace = Trace::new(&["trace=execve"]);
        host.plugin("portmap").under(&trace.command()).add(&conf, &pod, "eth0").result();
        assert_eq!(children(&trace), expected, "{backend}: {:?}", trace.lines());
        let trace = Trace::new(&["trace=execve"]);
        host.plugin("portmap").under(&trace.command()).del(&conf, &pod, "eth0").done();
        assert_eq!(children(&trace), 0, "{backend}: {:?}", trace.lines());
    }
}

#[test]
fn check_passes_and_names_each_thing_that_is_missing() {
    needs!(Iptables);
    let nft = |what: &str| format!("nft {what}");
    let dnat = "iptables -t nat -F CNI-HOSTPORT-DNAT";
    let cases = [
        ("nftables", nft("delete element inet cni_portmap ports4 { tcp . 8080 }"), "port 8080/tcp"),
        ("nftables", nft("delete element inet cni_portmap ports6 { udp . 5353 }"), "port 5353/udp"),
        ("nftables", nft("flush set inet cni_portmap sources4_24"), "sources4_24"),
        ("nftables", nft("flush chain inet cni_portmap prerouting"), "prerouting"),
        ("nftables", nft("flush chain inet cni_portmap localnet"), "localnet"),
        ("nftables", nft("flush ruleset"), "there is no table inet cni_portmap"),
        ("iptables", nft("flush ruleset"), "iptables lacks chain CNI-DN-"),
        ("iptables", dnat.to_owned(), "--destination-ports 8080,8443"),
        ("iptables", "iptables -t nat -F PREROUTING".to_owned(), "-A PREROUTING"),
        (
            "iptables",
            "ip6tables -t nat -F CNI-HOSTPORT-SETMARK".to_owned(),
            "ip6tables lacks -A CNI-HOSTPORT-SETMARK",
        ),
    ];
    for (backend, damage, says) in cases {
        let host = Host::new();
        let (pod, conf) = host.publish("pod", &Conf::portmap(backend, &some()));
        host.plugin("portmap").check(&conf, &pod, "eth0").done();
        host.feed("sh", &damage);
        let error = host.plugin("portmap").check(&conf, &pod, "eth0").error();
        error.says(103, &["pod", says, "cnitool restore"]);
        host.plugin("portmap").add(&conf, &pod, "eth0").result();
        host.plugin("portmap").check(&conf, &pod, "eth0").done();
    }
}

#[test]
fn check_sees_a_mapping_that_leads_elsewhere() {
    let host = Host::new();
    let (pod, conf) = host.publish("pod", &Conf::portmap("nftables", &some()));
    host.run("nft delete element inet cni_portmap ports4 { tcp . 8080 }");
    host.run("nft add element inet cni_portmap ports4 { tcp . 8080 : 10.22.0.9 . 80 }");
    let error = host.plugin("portmap").check(&conf, &pod, "eth0").error();
    error.says(103, &["8080/tcp", "belongs to another attachment"]);
}

#[test]
fn a_port_has_one_owner_and_the_error_names_it() {
    needs!(Iptables);
    let with_ip =
        |ip: &str| json!([{ "hostPort": 8080, "containerPort": 9, "protocol": "tcp", "hostIP": ip }]);
    for backend in BACKENDS {
        let host = Host::new();
        let (owner, _) = host.publish("owner", &Conf::portmap(backend, &some()));
        let second = host.container("second");
        let result = host.attach(&second);
        let before = host.snapshot();
        let conf =
            Conf::portmap(backend, &json!([mapping(7070, 70, "tcp"), mapping(8080, 9, "tcp")])).prev(&result);
        let error = host.plugin("portmap").add(&conf, &second, "eth0").error();
        error.says(11, &["8080/tcp", "owner", "hostPort"]);
        host.snapshot().assert_same_as(&before, "a refused ADD");
        for free in [json!([mapping(8080, 9, "udp")]), with_ip("10.22.0.1")] {
            let conf = Conf::portmap(backend, &free).prev(&result);
            host.plugin("portmap").add(&conf, &second, "eth0").result();
            host.plugin("portmap").del(&conf, &second, "eth0").done();
        }
        let web = owner.listen(80);
        assert!(tcp(From::Host, "10.22.0.1:8080", &web).is_some(), "{backend}: the owner still has it");
    }
}

#[test]
fn ranges_that_overlap_have_one_owner() {
    let host = Host::new();
    let range = |from: u16, to: u16| json!((from..to).map(|p| mapping(p, p, "tcp")).collect::<Vec<_>>());
    host.publish("owner", &Conf::portmap("nftables", &range(1000, 2000)));
    let second = host.container("second");
    let result = host.attach(&second);
    for taken in [range(1999, 2500), range(500, 1001), range(1500, 1501), range(0x1f0, 3000)] {
        let conf = Conf::portmap("nftables", &taken).prev(&result);
        host.plugin("portmap").add(&conf, &second, "eth0").error().says(11, &["1000-1999/tcp", "owner"]);
    }
    for free in [range(2000, 2500), range(900, 1000), range(600, 601)] {
        host.plugin("portmap").add(&Conf::portmap("nftables", &free).prev(&result), &second, "eth0").result();
    }
}

#[test]
fn ten_thousand_mappings_are_one_batch_below_a_second() {
    needs!(Strace);
    let host = Host::new();
    let list: Vec<_> = (10_000..20_000).map(|port| mapping(port, port + 1, "tcp")).collect();
    let pod = host.container("pod");
    let conf = Conf::portmap("nftables", &json!(list)).prev(&host.attach(&pod));
    let trace = Trace::new(&["trace=sendto"]);
    host.plugin("portmap").under(&trace.command()).add(&conf, &pod, "eth0").result();
    let batches = trace.lines().iter().filter(|line| line.contains("NFNL_MSG_BATCH_BEGIN")).count();
    assert!(batches <= 2, "one for the mappings, one for the loopback at most: {:?}", trace.lines());
    let count = |host: &Host| -> usize {
        let counts = host.nft("map").into_iter().filter_map(|map| Some(map["elem"].as_array()?.len()));
        counts.sum()
    };
    assert_eq!(count(&host), 20_000, "single ports, in both families");
    host.plugin("portmap").del(&conf.remove("runtimeConfig"), &pod, "eth0").done();
    assert_eq!(count(&host), 0);
}

/// iptables writes conditions back in other words than it was given: what counts is what they mean.
#[test]
fn iptables_conditions_are_compared_by_meaning_and_repairs_double_nothing() {
    needs!(Iptables);
    let v4 = [
        "-m iprange --dst-range 198.19.254.254",
        "-d 192.0.2.9/24",
        "-d 192.0.2.1/255.255.255.255",
        "! --destination 192.0.2.1",
        "-s 0.0.0.0/0",
        "-s 192.0.2.1,192.0.2.2",
        "-s 192.0.2.1,198.51.100.9/24 -d 192.0.2.7,192.0.2.8",
        "-s 192.0.2.1,0.0.0.0/0",
        "-m mark --mark 16",
        "-m conntrack --ctstate new",
        "-m addrtype --dst-type local",
    ];
    let v6 = ["-d 2001:DB8::9/32", "! -s 2001:db8:0::1", "-s 0:0:0:0:0:0:0:0/0", "--src 2001:db8:0:0::1/128"];
    let list = |text: &str| json!(text.split(' ').collect::<Vec<_>>());
    let cases =
        v4.iter().map(|text| ("conditionsV4", text)).chain(v6.iter().map(|text| ("conditionsV6", text)));
    for (key, text) in cases {
        let host = Host::new();
        let conf = Conf::portmap("iptables", &some()).set(key, list(text));
        let (pod, conf) = host.publish("pod", &conf);
        let made = rules(&host);
        host.plugin("portmap").check(&conf, &pod, "eth0").done();
        for _ in 0..2 {
            host.plugin("portmap").add(&conf, &pod, "eth0").result();
            assert_eq!(rules(&host), made, "{text}");
        }
        // Other conditions than those that are there.
        let other = if key == "conditionsV4" { "-s 203.0.113.0/24" } else { "-s 2001:db8:7::/48" };
        for changed in [conf.clone().set(key, list(other)), conf.clone().remove(key)] {
            if text.ends_with("/0") && changed.text() == conf.clone().remove(key).text() {
                continue;
            }
            let error = host.plugin("portmap").check(&changed, &pod, "eth0").error();
            error.says(103, &["CNI-HOSTPORT-DNAT"]);
        }
        // A repair of one of several: the rest is neither lost nor doubled.
        let tool = if key == "conditionsV4" { "iptables" } else { "ip6tables" };
        host.run(&format!("{tool} -t nat -D CNI-HOSTPORT-DNAT 1"));
        let chain = made.iter().find_map(|line| line.strip_prefix(":CNI-DN-")).unwrap();
        let chain = format!("CNI-DN-{}", chain.split(' ').next().unwrap());
        host.run(&format!("{tool} -t nat -D {chain} 1"));
        host.plugin("portmap").check(&conf, &pod, "eth0").error().says(103, &["lacks"]);
        host.plugin("portmap").add(&conf, &pod, "eth0").result();
        let sorted = |mut rules: Vec<String>| {
            rules.sort();
            rules
        };
        assert_eq!(sorted(rules(&host)), sorted(made), "{text}");
        host.plugin("portmap").check(&conf, &pod, "eth0").done();
    }
}

/// iptables makes a rule for each address of a list: every one has to be there.
#[test]
fn each_rule_of_a_list_of_addresses_is_missed() {
    needs!(Iptables);
    let host = Host::new();
    let sources = json!(["-s", "192.0.2.1,192.0.2.2,192.0.2.1"]);
    let conf = Conf::portmap("iptables", &json!([mapping(8080, 80, "tcp")])).set("conditionsV4", sources);
    let (pod, conf) = host.publish("pod", &conf);
    let made = rules(&host);
    for _ in 0..2 {
        host.plugin("portmap").check(&conf, &pod, "eth0").done();
        host.plugin("portmap").add(&conf, &pod, "eth0").result();
        assert_eq!(rules(&host), made);
    }
    host.run("iptables -t nat -D CNI-HOSTPORT-DNAT 2");
    host.plugin("portmap").check(&conf, &pod, "eth0").error().says(103, &["lacks"]);
    host.plugin("portmap").add(&conf, &pod, "eth0").result();
    host.plugin("portmap").check(&conf, &pod, "eth0").done();
}

/// What leads to the mappings is compared by what it says, not by where it leads.
#[test]
fn check_sees_jumps_of_iptables_that_are_others() {
    let jump = "-m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT";
    for damage in [
        format!("-D PREROUTING {jump}\n-A OUTPUT {jump}"),
        format!("-D PREROUTING {jump}\n-A PREROUTING -s 192.0.2.0/24 {jump}"),
        format!("-D PREROUTING {jump}\n-A PREROUTING -m addrtype ! --dst-type LOCAL -j CNI-HOSTPORT-DNAT"),
    ] {
        let host = Host::new();
        let conf = Conf::portmap("iptables", &json!([mapping(8080, 80, "tcp")]));
        let (pod, conf) = host.publish("pod", &conf);
        host.plugin("portmap").check(&conf, &pod, "eth0").done();
        host.feed("iptables-restore --noflush", &format!("*nat\n{damage}\nCOMMIT\n"));
        let error = host.plugin("portmap").check(&conf, &pod, "eth0").error();
        error.says(103, &["iptables lacks -A PREROUTING", "pod"]);
    }
}
