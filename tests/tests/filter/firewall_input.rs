//! `firewall`: bad input gets one JSON error that names the mistake, and nothing is made; no text becomes a rule.

use cni_tests::{Conf, Host, Place, needs};
use serde_json::{Value, json};

fn conf() -> Conf {
    Conf::new(json!({
        "cniVersion": "1.1.0", "name": "net", "type": "firewall", "backend": "iptables",
        "prevResult": {
            "cniVersion": "1.1.0",
            "interfaces": [{ "name": "br0" }],
            "ips": [{ "address": "10.22.0.2/24" }, { "address": "fd00:22::2/64" }],
        },
    }))
}

fn from_bridge(name: &str) -> Conf {
    let result = json!({
        "cniVersion": "1.1.0", "interfaces": [{ "name": name }], "ips": [{ "address": "10.22.0.2/24" }],
    });
    conf().set("ingressPolicy", "same-bridge").prev(&result)
}

#[test]
fn values_that_are_not_allowed() {
    let set = |key: &str, value: Value| conf().set(key, value);
    let table: Vec<(Conf, u64, &[&str])> = vec![
        (conf().remove("prevResult"), 7, &["prevResult", "chained"]),
        (set("backend", json!("pf")), 7, &["backend", "pf", "iptables", "nftables"]),
        (set("firewalldZone", json!("a\nb")), 7, &["firewalldZone"]),
        (set("backend", json!(7)), 6, &["backend"]),
        (
            set("ingressPolicy", json!("closed")),
            7,
            &["ingressPolicy", "closed", "open", "same-bridge", "isolated"],
        ),
        (set("iptablesAdminChainName", json!("a b")), 7, &["iptablesAdminChainName", "a b"]),
        (set("iptablesAdminChainName", json!("-F")), 7, &["iptablesAdminChainName", "-F"]),
        (set("iptablesAdminChainName", json!("x\nCOMMIT")), 7, &["iptablesAdminChainName", "\\nCOMMIT"]),
        (set("iptablesAdminChainName", json!("FORWARD")), 7, &["iptablesAdminChainName", "FORWARD"]),
        (set("iptablesAdminChainName", json!("x".repeat(300))), 7, &["iptablesAdminChainName", "28"]),
        (set("prevResult", json!({ "cniVersion": "9.9.9" })), 1, &["prevResult"]),
        (from_bridge(""), 7, &["ingressPolicy", "bridge"]),
        (from_bridge("br+"), 7, &["br+"]),
        (from_bridge("!"), 7, &["!"]),
        (from_bridge("-F"), 7, &["-F"]),
        (from_bridge("b\";-F"), 7, &["bridge"]),
        (from_bridge("b'`id`"), 7, &["bridge"]),
        (from_bridge("b\nCOMMIT"), 7, &["bridge"]),
        (from_bridge(&"b".repeat(300)), 7, &["15"]),
        (conf().version("0.3.1"), 1, &["0.3.1", "0.4.0"]),
    ];
    let host = Host::new();
    let pod = host.container("pod");
    let before = host.snapshot();
    for (conf, code, parts) in table {
        println!("{}", conf.text());
        let error = host.plugin("firewall").add(&conf, &pod, "eth0").error();
        error.says(code, parts);
        host.snapshot().assert_same_as(&before, &conf.text());
    }
}

#[test]
fn no_name_becomes_a_rule() {
    needs!(Iptables);
    for backend in ["iptables", "nftables"] {
        let host = Host::new();
        host.run("iptables -A INPUT -s 192.0.2.1 -j DROP");
        let pod = host.container("pod");
        let settle = |conf: &Conf, ifname: &str, id: &str| {
            let call = || host.plugin("firewall").env("CNI_CONTAINERID", id);
            call().add(conf, &pod, ifname).result();
            call().check(conf, &pod, ifname).done();
            call().del(conf, &pod, ifname).done();
        };
        let conf = conf().set("backend", backend);
        settle(&conf, "eth0", "pod");
        let before = host.snapshot();
        let long = "n".repeat(255);
        for (network, ifname, id) in [
            ("net", "\";drop\\", "pod"),
            (&long, "eth0", "pod"),
            ("net", "$(id)'`", &long),
            ("net", "ü\"}", "p"),
        ] {
            settle(&conf.clone().set("name", network), ifname, id);
            host.snapshot().assert_same_as(&before, &format!("{backend} {network} {ifname} {id}"));
        }
    }
}

#[test]
fn an_unwritable_state_directory_is_an_error_before_any_rule() {
    needs!(Iptables);
    let host = Host::new();
    let pod = host.container("pod");
    host.run("touch /run/cni");
    let before = host.snapshot();
    host.plugin("firewall").add(&conf(), &pod, "eth0").error().says(5, &["/run/cni"]);
    host.snapshot().assert_same_as(&before, "ADD");
    host.plugin("firewall").status(&conf()).error().says(50, &["/run/cni"]);
}

#[test]
fn a_refused_add_takes_its_rules_back() {
    needs!(Iptables);
    let host = Host::new();
    let pod = host.container("pod");
    host.plugin("firewall").add(&conf(), &pod, "eth0").result();
    host.plugin("firewall").del(&conf(), &pod, "eth0").done();
    let before = host.snapshot();
    // IPv4 works, IPv6 does not.
    host.run("mkdir /run/tools");
    for (tool, target) in
        [("iptables-restore", "/usr/sbin/iptables-restore"), ("ip6tables-restore", "/bin/false")]
    {
        host.run(&format!("ln -s {target} /run/tools/{tool}"));
    }
    let call = host.plugin("firewall").env("PATH", "/run/tools:/usr/bin:/bin");
    call.add(&conf(), &pod, "eth0").error().says(101, &["ip6tables"]);
    host.snapshot().assert_same_as(&before, "the refused ADD");
}

#[test]
fn a_held_lock_ends_in_code_11_and_names_the_holder() {
    needs!(Iptables);
    let host = Host::new();
    let pod = host.container("pod");
    host.plugin("firewall").add(&conf(), &pod, "eth0").result();
    let mut holder = host.command("flock");
    let mut holder = holder.args(["/run/cni/firewall/lock", "sh", "-c", "echo; read line"]);
    holder = holder.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut holder = holder.spawn().unwrap();
    let mut ready = [0];
    std::io::Read::read_exact(holder.stdout.as_mut().unwrap(), &mut ready).unwrap();
    let error = host.plugin("firewall").del(&conf(), &pod, "eth0").error();
    error.says(11, &["/run/cni/firewall/lock", &holder.id().to_string()]);
    drop(holder.stdin.take());
    holder.wait().unwrap();
    host.plugin("firewall").del(&conf(), &pod, "eth0").done();
}

#[test]
fn status_says_what_is_missing() {
    needs!(Iptables);
    for backend in ["iptables", "nftables"] {
        let host = Host::new();
        let before = host.snapshot();
        host.plugin("firewall").status(&conf().set("backend", backend).remove("prevResult")).done();
        host.snapshot().assert_same_as(&before, "STATUS");
    }
    let host = Host::new();
    host.run("mount -t tmpfs none /usr/sbin");
    let call = || host.plugin("firewall").env("PATH", "/usr/bin:/bin");
    call().status(&conf()).error().says(50, &["iptables-restore"]);
    // Without a choice, what works is taken.
    call().status(&conf().remove("backend")).done();
    let pod = host.container("pod");
    call().add(&conf().remove("backend"), &pod, "eth0").result();
    call().status(&conf().set("ingressPolicy", "x")).error().says(7, &["ingressPolicy"]);
}
