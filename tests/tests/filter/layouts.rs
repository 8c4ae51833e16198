//! The nftables layouts that attachments share: CHECK sees any rule that is not as it was made, and the next ADD makes
//! the layout anew around the living elements.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use cni_tests::published::{From, mapping, tcp, udp};
use cni_tests::{Conf, Container, Host, Place};
use serde_json::{Value, json};

/// The rules of a table, chain by chain as they are listed, and nothing of what tells one making from another.
fn rules(host: &Host, table: &str) -> Vec<Value> {
    let mut rules = host.nft("rule");
    rules.retain(|rule| rule["table"] == table);
    rules.iter_mut().for_each(|rule| drop(rule.as_object_mut().unwrap().remove("handle")));
    rules.sort_by_key(|rule| rule["chain"].to_string());
    rules
}

/// The elements of a table's sets and maps.
fn elements(host: &Host, table: &str) -> Vec<String> {
    let sets = [host.nft("set"), host.nft("map")].concat();
    let of_table = sets.iter().filter(|set| set["table"] == table);
    let each = of_table.flat_map(|set| set["elem"].as_array().into_iter().flatten());
    each.map(Value::to_string).collect()
}

/// What is done to a chain of so many rules: by the number of counters that take the place of all, or by a statement
/// for the rule of this index.
enum Damage {
    Counters,
    Replace(usize, &'static str),
    Insert(&'static str),
    Append(&'static str),
    Delete(usize),
    Twice,
}
use Damage::{Append, Counters, Delete, Insert, Replace, Twice};

impl Damage {
    fn is_done(&self, host: &Host, table: &str, chain: &str) {
        let mut rules = host.nft("rule");
        rules.retain(|rule| rule["table"] == table && rule["chain"] == chain);
        let place = format!("inet {table} {chain}");
        let handle = |index: usize| rules[index]["handle"].clone();
        let text = match self {
            Counters => {
                let counter = format!("add rule {place} counter\n");
                format!("flush chain {place}\n{}", counter.repeat(rules.len()))
            }
            Replace(index, rule) => format!("replace rule {place} handle {} {rule}", handle(*index)),
            Insert(rule) => format!("insert rule {place} {rule}"),
            Append(rule) => format!("add rule {place} {rule}"),
            Delete(index) => format!("delete rule {place} handle {}", handle(*index)),
            // As many rules as before.
            Twice => format!("delete rule {place} handle {}\nadd rule {place} counter", handle(0)),
        };
        host.feed("nft -f -", &text);
    }
}

/// Where a plugin has its layout.
struct Layout<'a> {
    plugin: &'a str,
    table: &'a str,
    host: &'a Host,
}

impl Layout<'_> {
    /// CHECK of the living container names the chain; ADD of the new one makes it as it was.
    fn is_repaired(
        &self,
        damage: &Damage,
        chain: &str,
        living: (&Container, &Conf),
        new: (&Container, &Conf),
    ) {
        let Self { plugin, table, host } = *self;
        let check = || host.plugin(plugin).check(living.1, living.0, "eth0");
        check().done();
        let (intact, kept) = (rules(host, table), elements(host, table));
        assert!(!kept.is_empty());
        damage.is_done(host, table, chain);
        assert_ne!(rules(host, table), intact, "{table} {chain}");
        check().error().says(103, &[&format!("inet {table} {chain} is not as it was made"), living.0.id()]);
        host.plugin(plugin).add(new.1, new.0, "eth0").result();
        assert_eq!(rules(host, table), intact, "{table} {chain}");
        let now = elements(host, table);
        assert!(kept.iter().all(|element| now.contains(element)), "{table} {chain}: {now:?}");
        check().done();
    }
}

#[test]
fn a_masquerade_with_other_rules_is_seen_and_made_anew() {
    let conf = Conf::dual_stack_bridge().set("isDefaultGateway", true);
    let conf = conf.set("ipMasq", true).set("ipMasqBackend", "nftables");
    for damage in [
        Counters,
        Twice,
        Delete(3),
        // As an earlier release may have had it: as many rules, another text.
        Replace(0, "ip daddr 224.0.0.0/8 return"),
        Replace(0, "ip daddr != 224.0.0.0/4 return"),
        Replace(0, "ip daddr 224.0.0.0/4 accept"),
        Replace(1, "ip6 daddr ff00::/8 counter"),
        Replace(2, "meta nfproto ipv4 masquerade random"),
        Insert("ip saddr 10.0.0.0/8 return"),
        Append("counter"),
    ] {
        let host = Host::new();
        let _outside = host.outside();
        let (one, two) = (host.container("one"), host.container("two"));
        let checked = conf.clone().prev(&host.plugin("bridge").add(&conf, &one, "eth0").result());
        assert!(one.pings("198.51.100.2") && one.pings("2001:db8:51::2"));
        let layout = Layout { plugin: "bridge", table: "cni_masquerade", host: &host };
        layout.is_repaired(&damage, "postrouting", (&one, &checked), (&two, &conf));
        assert!([&one, &two].iter().all(|pod| pod.pings("198.51.100.2") && pod.pings("2001:db8:51::2")));
    }
}

#[test]
fn a_portmap_with_other_rules_is_seen_and_made_anew() {
    for (chain, damage) in [
        ("prerouting", Counters),
        ("output", Counters),
        ("hostports", Counters),
        ("plain", Counters),
        ("postrouting", Counters),
        ("localnet", Counters),
        ("prerouting", Replace(0, "jump hostports")),
        ("prerouting", Replace(0, "fib daddr type != local jump hostports")),
        ("output", Replace(0, "fib daddr type local jump plain")),
        ("hostports", Twice),
        ("hostports", Insert("return")),
        ("plain", Insert("tcp dport 8080 accept")),
        ("plain", Replace(0, "meta nfproto ipv4 dnat ip to meta l4proto . th dport map @ports4")),
        ("postrouting", Append("counter")),
        ("localnet", Replace(0, "iifname \"lo\" ip daddr 127.0.0.0/8 drop")),
    ] {
        let host = Host::new();
        let outside = host.outside();
        let (pod, conf) = host.publish("pod", &Conf::portmap("nftables", &json!([mapping(8080, 80, "tcp")])));
        let web = pod.listen(80);
        let arrives = || {
            ["198.51.100.1:8080", "[2001:db8:51::1]:8080"]
                .map(|to| tcp(From::Container(&outside), to, &web).is_some())
        };
        assert_eq!(arrives(), [true; 2]);
        let other = host.container("other");
        let new = Conf::portmap("nftables", &json!([mapping(8081, 80, "tcp")])).prev(&host.attach(&other));
        let layout = Layout { plugin: "portmap", table: "cni_portmap", host: &host };
        layout.is_repaired(&damage, chain, (&pod, &conf), (&other, &new));
        assert_eq!(arrives(), [true; 2], "{chain}");
    }
}

/// Does `act` while new connections are made all the time, and some before and after it.
fn amid(connect: impl Fn() + Sync, act: impl FnOnce()) {
    let (made, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let more = |count: usize| {
        let target = made.load(Ordering::SeqCst) + count;
        while made.load(Ordering::SeqCst) < target {
            std::thread::yield_now();
        }
    };
    std::thread::scope(|scope| {
        let traffic = scope.spawn(|| {
            while !stop.load(Ordering::SeqCst) {
                connect();
                made.fetch_add(1, Ordering::SeqCst);
            }
        });
        let watched = scope.spawn(|| {
            // A failed connection ends the traffic; whoever waits for more of it then ends, too.
            let outcome = traffic.join();
            made.fetch_add(1 << 32, Ordering::SeqCst);
            outcome.unwrap();
        });
        more(5);
        act();
        more(5);
        stop.store(true, Ordering::SeqCst);
        watched.join().unwrap();
    });
}

/// An earlier release had other rules that do the same: the next ADD makes them ours while pods run.
#[test]
fn an_earlier_layout_of_masquerade_is_replaced_under_traffic() {
    let conf = Conf::bridge().set("isDefaultGateway", true);
    let conf = conf.set("ipMasq", true).set("ipMasqBackend", "nftables");
    let host = Host::new();
    let outside = host.outside();
    let (one, two) = (host.container("one"), host.container("two"));
    host.plugin("bridge").add(&conf, &one, "eth0").result();
    let (intact, kept) = (rules(&host, "cni_masquerade"), elements(&host, "cni_masquerade"));
    let at = intact.iter().position(|rule| rule.to_string().contains("pods4_24")).unwrap();
    Replace(at, "ip saddr . ip saddr & 255.255.255.0 @pods4_24 ip daddr != 10.22.0.0/24 counter masquerade")
        .is_done(&host, "cni_masquerade", "postrouting");
    let server = outside.open(5000);
    let seen_as: Option<IpAddr> = "198.51.100.1".parse().ok();
    let connect = || assert_eq!(udp(From::Container(&one), "198.51.100.2:5000", &server), seen_as);
    amid(connect, || drop(host.plugin("bridge").add(&conf, &two, "eth0").result()));
    assert_eq!(rules(&host, "cni_masquerade"), intact);
    let now = elements(&host, "cni_masquerade");
    assert!(kept.iter().all(|element| now.contains(element)) && now.len() == 2, "{now:?}");
}

#[test]
fn an_earlier_layout_of_portmap_is_replaced_under_traffic() {
    let host = Host::new();
    let outside = host.outside();
    let (pod, _) = host.publish("pod", &Conf::portmap("nftables", &json!([mapping(8080, 80, "tcp")])));
    let web = pod.listen(80);
    let other = host.container("other");
    let new = Conf::portmap("nftables", &json!([mapping(8081, 80, "tcp")])).prev(&host.attach(&other));
    let (intact, kept) = (rules(&host, "cni_portmap"), elements(&host, "cni_portmap"));
    Insert("meta nfproto ipv4 dnat ip to meta l4proto . th dport map @ports4").is_done(
        &host,
        "cni_portmap",
        "plain",
    );
    Replace(0, "fib daddr type local counter jump hostports").is_done(&host, "cni_portmap", "prerouting");
    let connect = || assert!(tcp(From::Container(&outside), "198.51.100.1:8080", &web).is_some());
    amid(connect, || drop(host.plugin("portmap").add(&new, &other, "eth0").result()));
    assert_eq!(rules(&host, "cni_portmap"), intact);
    let now = elements(&host, "cni_portmap");
    assert!(kept.iter().all(|element| now.contains(element)), "{now:?}");
}

/// The rules of conditions and of later layers, which belong to those who have mappings there.
#[test]
fn portmap_rules_of_conditions_are_compared_too() {
    let v4 = "ip saddr != 192.0.2.0/24 ip daddr 198.51.100.1 meta mark != 7 iifname { uplink, \"br*\", lo }";
    let conf = |port: u16| {
        let conf = Conf::portmap("nftables", &json!([mapping(port, 80, "tcp")]));
        conf.set("conditionsV4", json!([v4]))
            .set("conditionsV6", json!(["ip6", "saddr", "!=", "2001:db8:9::/48"]))
    };
    for is_cut in [true, false] {
        let host = Host::new();
        let (pod, conf_of_pod) = host.publish("pod", &conf(8080));
        let other = host.container("other");
        let new = conf(8081).prev(&host.attach(&other));
        let check = || host.plugin("portmap").check(&conf_of_pod, &pod, "eth0");
        check().done();
        // What a repair removes and writes anew stands behind what it left.
        let sorted = || {
            let mut rules = rules(&host, "cni_portmap");
            rules.sort_by_key(Value::to_string);
            rules
        };
        let intact = sorted();
        let all = host.nft("rule");
        let rule = all.iter().find(|rule| rule["chain"] == "conditional").unwrap();
        let place = format!("inet cni_portmap conditional handle {}", rule["handle"]);
        if is_cut {
            host.feed("nft -f -", &format!("replace rule {place} counter comment {}", rule["comment"]));
        } else {
            host.run(&format!("nft delete rule {place}"));
        }
        check().error().says(103, &["cni_portmap conditional", "pod"]);
        host.plugin("portmap").add(&new, &other, "eth0").result();
        check().done();
        assert_eq!(sorted(), intact);
    }
}

#[test]
fn a_firewall_with_other_rules_is_seen_and_made_anew() {
    let conf = |n: usize| {
        let result = json!({
            "cniVersion": "1.1.0",
            "interfaces": [{ "name": "br0" }, { "name": "veth1" }, { "name": "eth0", "sandbox": "/run/netns/pod" }],
            "ips": [{ "interface": 2, "address": format!("10.22.0.{n}/24"), "gateway": "10.22.0.1" },
                { "interface": 2, "address": format!("fd00:22::{n}/64") }],
        });
        let conf = json!({ "cniVersion": "1.1.0", "name": "net", "type": "firewall", "backend": "nftables" });
        Conf::new(conf).set("ingressPolicy", "same-bridge").prev(&result)
    };
    for (chain, damage) in [
        ("forward", Counters),
        ("forward", Twice),
        ("forward", Delete(6)),
        ("forward", Replace(3, "ip daddr @pods4 accept")),
        ("forward", Replace(5, "ip saddr != @pods4 accept")),
        ("forward", Replace(5, "ip saddr @pods4 drop")),
        ("forward", Replace(2, "jump CNI-ADMIN")),
        ("forward", Insert("accept")),
        ("forward", Append("drop")),
    ] {
        let host = Host::new();
        let (one, two) = (host.container("one"), host.container("two"));
        host.plugin("firewall").add(&conf(2), &one, "eth0").result();
        // What the administrator has is nobody else's.
        host.run("nft add rule inet cni_firewall CNI-ADMIN ip saddr 192.0.2.1 counter drop");
        host.run("nft chain inet cni_firewall forward { policy drop ; }");
        let layout = Layout { plugin: "firewall", table: "cni_firewall", host: &host };
        layout.is_repaired(&damage, chain, (&one, &conf(2)), (&two, &conf(3)));
        let chains = host.nft("chain");
        let forward = chains.iter().find(|c| c["table"] == "cni_firewall" && c["name"] == "forward").unwrap();
        assert_eq!(forward["policy"], "drop");
    }
}
