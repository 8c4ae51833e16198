//! `cnitool debug`: what keeps a pod from the network is explained on one screen.

use std::fs;

use cni_tests::{Host, Place, Suite, run};
use serde_json::{Value, json};

/// Lines of a screen.
const SCREEN: usize = 24;

fn bridge() -> Value {
    json!({ "type": "bridge", "bridge": "br0", "isGateway": true,
        "ipam": { "type": "host-local", "subnet": "10.22.0.0/24" } })
}

fn debug(host: &Host, plugins: &[Value], options: &[&str], env: &[(&str, &str)]) -> (bool, String) {
    fs::create_dir_all("/run/net.d").unwrap();
    let list = json!({ "cniVersion": "1.1.0", "name": "net", "plugins": plugins });
    fs::write("/run/net.d/10-net.conflist", list.to_string()).unwrap();
    let mut cnitool = host.command(Suite::Ours.source().join("cnitool").to_str().unwrap());
    cnitool.arg("debug").args(options).arg("net").env("NETCONFPATH", "/run/net.d");
    cnitool.env("CNI_PATH", Suite::Ours.source()).envs(env.iter().copied());
    let done = run(&mut cnitool, b"");
    let report = String::from_utf8(done.stdout).unwrap();
    assert!(report.contains("== What is wrong\n"), "{report}\n{}", done.stderr);
    (done.status.success(), report)
}

/// The report's first screen, down to the trial.
fn wrong(report: &str) -> &str {
    report.split("\n== The trial\n").next().unwrap()
}

/// What is done to the host first, the chain, and what the first screen has to say: the cause and the next step.
type Cause = (&'static str, &'static str, Vec<Value>, &'static [&'static str]);

#[test]
fn ten_classic_causes_are_explained_on_one_screen() {
    let changed = |key: &str, value: Value| {
        let mut conf = bridge();
        conf[key] = value;
        conf
    };
    let flat = changed("isGateway", json!(false));
    let small = json!({ "type": "host-local", "subnet": "10.22.0.0/30", "dataDir": "/run/ipam" });
    let locked = json!({ "type": "host-local", "subnet": "10.22.0.0/24", "dataDir": "/proc/ipam" });
    let causes: [Cause; 10] = [
        ("forwarding is off", "true", vec![flat], &["does not forward IPv4", "net.ipv4.ip_forward=1"]),
        (
            "the bridge's name is another link's",
            "ip link add br0 type veth peer name x",
            vec![bridge()],
            &["STATUS fails", "br0", "choose another name with the key"],
        ),
        (
            "the range is exhausted",
            "mkdir -p /run/ipam/net; printf 'a\\r\\neth0' > /run/ipam/net/10.22.0.2",
            vec![changed("ipam", small)],
            &["ADD", "10.22.0."],
        ),
        (
            "IPAM cannot write",
            "true",
            vec![changed("ipam", locked)],
            &["ADD", "/proc/ipam/net (key \"dataDir\")"],
        ),
        (
            "br_netfilter is off",
            "if [ -e /proc/sys/net/bridge ]; then echo 0 > /proc/sys/net/bridge/bridge-nf-call-iptables; fi",
            vec![bridge(), json!({ "type": "firewall", "backend": "nftables" })],
            &["does not pass the firewall", "modprobe br_netfilter"],
        ),
        (
            "FORWARD drops",
            "nft 'add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }'",
            vec![bridge()],
            &["ip filter FORWARD", "policy drop", "plugin firewall"],
        ),
        (
            "rp_filter with sbr",
            "echo 1 > /proc/sys/net/ipv4/conf/all/rp_filter",
            vec![bridge(), json!({ "type": "sbr" })],
            &["rp_filter is 1", "rp_filter=2"],
        ),
        (
            "the host port is taken",
            "true",
            vec![
                bridge(),
                json!({ "type": "portmap", "backend": "nftables", "capabilities": { "portMappings": true } }),
            ],
            &["8080"],
        ),
        (
            "an executable is missing",
            "true",
            vec![bridge(), json!({ "type": "portmapp" })],
            &["portmapp", "portmap"],
        ),
        (
            "a namespace is gone",
            "true",
            vec![bridge()],
            &["the namespace of old eth0 is gone", "cnitool gc --keep WHO net"],
        ),
    ];
    for (name, before, plugins, said) in causes {
        Host::fresh(|host| {
            host.sh(before);
            let mut env = Vec::new();
            if name == "the host port is taken" {
                env.push((
                    "CAP_ARGS",
                    r#"{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]}"#,
                ));
                take_port(host, &plugins);
            }
            if name == "a namespace is gone" {
                leave_one_behind();
            }
            let (is_good, report) = debug(host, &plugins, &[], &env);
            let screen = wrong(&report);
            assert!(!is_good, "{name}: {report}");
            // One cause is one line (a range that is exhausted is code 50 for STATUS and 104 for ADD): nothing is said
            // twice, nor what the ADD would have set right.
            let lines = if name == "the range is exhausted" { 2 } else { 1 };
            assert_eq!(screen.matches("\n- ").count(), lines, "{name}: {screen}");
            assert!(said.iter().all(|part| screen.contains(part)), "{name}: {screen}");
            let rows: usize = screen.lines().map(|line| line.len() / 120 + 1).sum();
            assert!(rows <= SCREEN, "{name}: {screen}");
            assert!(
                !fs::read_dir("/run/netns").unwrap().any(|entry| {
                    entry.unwrap().file_name().to_string_lossy().starts_with("cnitool-debug")
                })
            );
        });
    }
}

/// Another pod has the port.
fn take_port(host: &Host, plugins: &[Value]) {
    fs::create_dir_all("/run/net.d").unwrap();
    let list = json!({ "cniVersion": "1.1.0", "name": "net", "plugins": plugins });
    fs::write("/run/net.d/10-net.conflist", list.to_string()).unwrap();
    let pod = host.container("other");
    let mut cnitool = host.command(Suite::Ours.source().join("cnitool").to_str().unwrap());
    cnitool.args(["add", "net"]).arg(pod.netns()).env("NETCONFPATH", "/run/net.d");
    cnitool.env("CNI_PATH", Suite::Ours.source());
    cnitool.env("CAP_ARGS", r#"{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]}"#);
    assert!(run(&mut cnitool, b"").status.success());
}

/// A runtime's cache has an attachment whose DEL never came.
fn leave_one_behind() {
    fs::create_dir_all("/var/lib/cni/results").unwrap();
    let entry = json!({ "kind": "cniCacheV1", "containerId": "old", "config": "", "ifName": "eth0",
        "networkName": "net", "netns": "/run/netns/old",
        "result": { "cniVersion": "1.1.0", "ips": [], "dns": {} } });
    fs::write("/var/lib/cni/results/net-old-eth0", entry.to_string()).unwrap();
}

/// On a node where nothing is wrong nothing is found, nothing is left, and on request nobody's addresses are told.
#[test]
fn a_report_of_what_works() {
    let host = Host::new();
    host.run("sysctl -w net.ipv4.ip_forward=1");
    let (is_good, report) = debug(&host, &[bridge()], &["--anonymous"], &[("TRACEPARENT", "")]);
    assert!(is_good, "{report}");
    for part in [
        "nothing was found",
        "ip link add name br0",
        "== The plugins",
        "net.ipv4.ip_forward = 1",
        "nsenter",
        "Linux",
    ] {
        assert!(report.contains(part), "{part}: {report}");
    }
    assert!(!report.contains("10.22.0.") && report.contains(" ip-"), "{report}");
    assert!(
        !host.ip("link show").iter().any(|link| link["linkinfo"]["info_kind"] == "veth"),
        "the pair is gone"
    );
    assert_eq!(fs::read_dir("/run/netns").unwrap().count(), 0);
}

/// What a runtime's call was given is kept, and run again for a scratch namespace.
#[test]
fn a_recorded_call_is_run_again() {
    let host = Host::new();
    let tool = |words: &[&str]| {
        let mut cnitool = host.command(Suite::Ours.source().join("cnitool").to_str().unwrap());
        run(cnitool.arg("debug").args(words), b"")
    };
    assert!(tool(&["--record", "/run/record"]).status.success());
    assert_eq!(host.run("stat -c %a /run/cni/log.conf").trim(), "600");
    let pod = host.container("pod");
    let conf = cni_tests::Conf::bridge();
    host.plugin("bridge").add(&conf, &pod, "eth0").result();
    assert!(tool(&["--record", "off"]).status.success());
    assert_eq!(fs::read_to_string("/run/cni/log.conf").unwrap(), "");
    // The last one is the bridge's again: host-local's comes behind it.
    let text = fs::read_to_string("/run/record").unwrap();
    fs::write("/run/record", text.lines().next().unwrap()).unwrap();
    let done = tool(&["--replay", "/run/record"]);
    let report = String::from_utf8(done.stdout).unwrap();
    assert!(
        done.status.success() && report.contains("10.22.0.3/24") && report.contains("ip link add"),
        "{report}"
    );
    assert_eq!(pod.addresses("eth0"), ["10.22.0.2/24"]);
    assert_eq!(fs::read_dir("/run/netns").unwrap().count(), 1);
    host.plugin("bridge").del(&conf, &pod, "eth0").done();
}
