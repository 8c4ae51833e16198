//! `/etc/cni/packet-filter`: what carries the rules where the configuration does not say.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;

use cni_tests::published::{From, mapping, tcp};
use cni_tests::{Conf, Container, Host, Place, needs};
use serde_json::{Value, json};

const FILE: &str = "/etc/cni/packet-filter";
const TABLES: [&str; 3] = ["cni_masquerade", "cni_portmap", "cni_firewall"];

fn bridge() -> Conf {
    Conf::dual_stack_bridge().set("isDefaultGateway", true).set("ipMasq", true).version("1.1.0")
}

fn chained(plugin: &str, host_port: u16) -> Conf {
    Conf::new(json!({
        "cniVersion": "1.1.0", "name": "net", "type": plugin, "capabilities": { "portMappings": true },
        "runtimeConfig": { "portMappings": [mapping(host_port, 80, "tcp")] },
    }))
}

/// A pod of a bridge, a host port and a firewall, with a server on the port.
struct Pod {
    container: Container,
    result: Value,
    port: u16,
    server: TcpListener,
}

impl Pod {
    fn add(host: &Host, id: &str, port: u16) -> Self {
        let container = host.container(id);
        let mut result = host.plugin("bridge").add(&bridge(), &container, "eth0").result();
        for plugin in ["portmap", "firewall"] {
            let conf = chained(plugin, port).prev(&result);
            result = host.plugin(plugin).add(&conf, &container, "eth0").result();
        }
        let server = container.listen(80);
        Self { container, result, port, server }
    }

    fn confs(&self) -> [(&'static str, Conf); 3] {
        let chained = ["firewall", "portmap"].map(|plugin| (plugin, chained(plugin, self.port)));
        let [firewall, portmap] = chained;
        [firewall, portmap, ("bridge", bridge())].map(|(plugin, conf)| (plugin, conf.prev(&self.result)))
    }

    /// Packets out, in, and what CHECK says of it.
    fn works(&self, host: &Host, outside: &Container, what: &str) {
        let id = self.container.id();
        for target in ["198.51.100.2", "2001:db8:51::2"] {
            assert!(self.container.pings(target), "{what}: {id} to {target}");
        }
        for ip in ["198.51.100.1", "[2001:db8:51::1]"] {
            let to = format!("{ip}:{}", self.port);
            assert!(tcp(From::Container(outside), &to, &self.server).is_some(), "{what}: {to}");
        }
        for (plugin, conf) in self.confs() {
            host.plugin(plugin).check(&conf, &self.container, "eth0").done();
        }
    }

    fn del(self, host: &Host) {
        for (plugin, conf) in self.confs() {
            host.plugin(plugin).del(&conf, &self.container, "eth0").done();
        }
        self.container.remove_netns();
    }

    /// Where the three plugins have something for the pod's address: our tables, and iptables' rules.
    fn carriers(&self, host: &Host) -> (Vec<&'static str>, usize) {
        let ip = self.result["ips"][0]["address"].as_str().unwrap().split('/').next().unwrap();
        let of_ours = TABLES.into_iter().filter(|table| {
            host.sh(&format!("nft list table inet {table} 2>/dev/null || true")).contains(ip)
        });
        let rules = ["nat", "filter"].map(|table| host.run(&format!("iptables-save -t {table}")));
        (of_ours.collect(), rules.concat().lines().filter(|line| line.contains(&format!("{ip}/32"))).count())
    }
}

fn say(word: &str) {
    fs::create_dir_all("/etc/cni").unwrap();
    fs::write(FILE, format!("{word}\n")).unwrap();
}

#[test]
fn the_file_chooses_and_switching_it_disturbs_no_running_pod() {
    needs!(Iptables);
    let host = Host::new();
    host.own_etc();
    let outside = host.outside();
    // The reference's rule: iptables, which works here.
    let mut pods = vec![Pod::add(&host, "before", 8000)];
    assert!(pods[0].carriers(&host).0.is_empty() && pods[0].carriers(&host).1 > 0);
    for (port, word) in [(8001, "nftables"), (8002, "iptables"), (8003, "nftables")] {
        say(word);
        let pod = Pod::add(&host, &format!("pod{port}"), port);
        let (ours, rules) = pod.carriers(&host);
        match word {
            "nftables" => assert_eq!((ours.as_slice(), rules), (&TABLES[..], 0), "{port}"),
            _ => assert!(ours.is_empty() && rules > 0, "{port}: {ours:?}"),
        }
        pods.push(pod);
        for pod in &pods {
            pod.works(&host, &outside, word);
        }
        for (plugin, conf) in pods[0].confs() {
            host.plugin(plugin).status(&conf.remove("prevResult")).done();
        }
    }
    // DEL finds what was made by the other one, and whatever the file says.
    for word in ["iptables", "neither", "nftables", "iptables"] {
        say(word);
        pods.remove(0).del(&host);
        say("iptables");
        pods.iter().for_each(|pod| pod.works(&host, &outside, word));
    }
    let left = ["nat", "filter"].map(|table| host.run(&format!("iptables-save -t {table}"))).concat();
    assert!(!left.contains("10.22.0."), "{left}");
    let left = host.run("nft list ruleset");
    assert!(!left.contains("10.22.0."), "{left}");
}

#[test]
fn a_configurations_own_key_wins_and_so_do_options_of_one_backend() {
    needs!(Iptables);
    let host = Host::new();
    host.own_etc();
    say("nftables");
    let pod = host.container("pod");
    let masqueraded = bridge().set("ipMasqBackend", "iptables");
    let result = host.plugin("bridge").add(&masqueraded, &pod, "eth0").result();
    for (plugin, key, value) in [
        ("portmap", "conditionsV4", json!(["-s", "192.0.2.0/24"])),
        ("firewall", "backend", json!("iptables")),
    ] {
        let conf = chained(plugin, 8000).set(key, value).prev(&result);
        host.plugin(plugin).add(&conf, &pod, "eth0").result();
    }
    let ruleset = host.run("nft list ruleset");
    let ours: Vec<_> = ruleset.split("\ntable ").filter(|table| table.contains("cni_")).collect();
    assert!(ours.iter().all(|table| !table.contains("10.22.0.2")), "{ours:?}");
    say("iptables");
    let other = host.container("other");
    let masqueraded = bridge().set("ipMasqBackend", "nftables");
    host.plugin("bridge").add(&masqueraded, &other, "eth0").result();
    assert!(host.run("nft list table inet cni_masquerade").contains("10.22.0.3"));
}

#[test]
fn anything_else_in_the_file_is_error_7_that_names_it() {
    let host = Host::new();
    host.own_etc();
    let result = json!({ "cniVersion": "1.1.0", "ips": [{ "address": "10.22.0.2/24" }] });
    let plugins = [
        ("bridge", bridge()),
        ("ptp", Conf::ptp().version("1.1.0").set("ipMasq", true)),
        ("portmap", chained("portmap", 8000).prev(&result)),
        ("firewall", chained("firewall", 8000).prev(&result)),
    ];
    fs::create_dir_all("/etc/cni").unwrap();
    let write = |bytes: &[u8]| fs::write(FILE, bytes).unwrap();
    let cases: [(&str, &dyn Fn()); 8] = [
        ("", &|| write(b"")),
        ("nft", &|| write(b"nft\n")),
        ("IPTABLES", &|| write(b"IPTABLES")),
        ("two", &|| write(b"iptables\nnftables\n")),
        ("no text", &|| write(b"\xff\x00")),
        ("ELOOP", &|| symlink("/run/elsewhere", FILE).unwrap()),
        ("EISDIR", &|| fs::create_dir(FILE).unwrap()),
        ("FIFO", &|| drop(host.run(&format!("mkfifo {FILE}")))),
    ];
    // What a link leads to is not read.
    fs::write("/run/elsewhere", "nftables\n").unwrap();
    for (what, make) in cases {
        make();
        for (plugin, conf) in &plugins {
            let pod = host.container("pod");
            host.plugin(plugin).add(conf, &pod, "eth0").error().says(7, &[FILE]);
            host.plugin(plugin).status(conf).error().says(7, &[FILE, "the word iptables or nftables"]);
            assert!(pod.find_link("eth0").is_none(), "{plugin}, {what}: nothing is made");
            host.plugin(plugin).del(conf, &pod, "eth0").done();
            host.plugin(plugin).gc(conf, &[]).done();
            pod.remove_netns();
        }
        host.run(&format!("rm -rf {FILE}"));
    }
    // Whoever masquerades nothing does not ask.
    write(b"neither");
    let pod = host.container("pod");
    host.plugin("bridge").add(&bridge().set("ipMasq", false), &pod, "eth0").result();
    fs::remove_dir_all("/etc/cni").unwrap();
}
