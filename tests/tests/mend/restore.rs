//! `cnitool restore`.

use cni_tests::{Host, Place, Trace, needs};
use serde_json::json;

use crate::kit::{attach, cnitool, done, forget_namespaces, full_chain, network, text, under};

/// What takes it, and which parts are put back for it.
const TAKEN: [(&str, &str, &[&str]); 7] = [
    ("nftables", "nft flush ruleset", &["masquerade", "MAC spoof check", "port mappings", "firewall"]),
    ("iptables", "nft flush ruleset", &["masquerade", "MAC spoof check", "port mappings", "firewall"]),
    ("iptables", "iptables -t nat -F", &["masquerade", "port mappings"]),
    ("iptables", "iptables -F", &["firewall"]),
    ("nftables", "sysctl -q -w net.ipv4.ip_forward=0", &["gateway"]),
    ("nftables", "ip address flush dev br0", &["gateway"]),
    (
        "nftables",
        "for l in /sys/class/net/veth*; do tc qdisc del dev ${l##*/} root; tc qdisc del dev ${l##*/} ingress; done",
        &["limits"],
    ),
];

/// The ifbs' hardware addresses are random; the rest is what GC tells the metrics, and what host-local has given last.
fn is_history(line: &str) -> bool {
    ["link \"bwp", "/run/cni/gc.json", "last_reserved_ip"].iter().any(|part| line.contains(part))
}

/// A record of a namespace has the kernel's number for it where that could be asked for.
fn without_cookie(line: &str) -> String {
    line.split("\\\"cookie").next().unwrap_or_default().to_owned()
}

/// Everything that could be taken.
#[derive(PartialEq)]
pub(crate) struct State(Vec<String>);

impl State {
    pub(crate) fn of(host: &Host) -> Self {
        let numberless = |text: String| text.replace(|c: char| c.is_ascii_digit(), "");
        let forwards = ["ipv4/ip_forward", "ipv6/conf/all/forwarding"].map(|key| host.sysctl(key));
        let qdiscs = host.run("tc qdisc show");
        let lines = host.snapshot().lines().filter(|l| !is_history(l)).map(without_cookie).collect();
        let mut all =
            [lines, forwards.to_vec(), qdiscs.lines().map(|l| numberless(l.to_owned())).collect()].concat();
        all.sort();
        Self(all)
    }

    pub(crate) fn assert_is(&self, host: &Host, after: &str) {
        let now = Self::of(host);
        let of = |a: &Self, b: &Self| a.0.iter().filter(|l| !b.0.contains(l)).cloned().collect::<Vec<_>>();
        assert!(now == *self, "after {after} more {:#?}, less {:#?}", of(&now, self), of(self, &now));
    }
}

#[test]
fn what_was_taken_from_the_living_is_put_back_and_nothing_else() {
    for (backend, taken, parts) in TAKEN {
        Host::fresh(|host| {
            network("net", "1.1.0", &full_chain(backend));
            let pods =
                ["a", "b"].map(|name| attach(host, "net", name, if name == "a" { 8080 } else { 8081 }));
            let before = State::of(host);
            assert_eq!(done(host, &["restore"]), "0 put back, 2 whole\n", "{taken}");
            before.assert_is(host, "restoring what is whole");
            host.sh(taken);
            assert!(State::of(host) != before, "{taken}: nothing was taken");
            let said = done(host, &["restore"]);
            for part in parts {
                assert!(said.lines().next().unwrap().contains(part), "{taken}: {part} is not in {said}");
            }
            before.assert_is(host, &format!("{taken}, restored: {said}"));
            for pod in &pods {
                done(host, &["check", "net", pod.netns().to_str().unwrap()]);
            }
            assert!(done(host, &["restore"]).starts_with("0 put back, 2 whole"), "{taken}");
        });
    }
}

#[test]
fn flannels_delegate_is_restored() {
    let host = Host::new();
    std::fs::create_dir_all("/run/flannel").unwrap();
    let env =
        "FLANNEL_NETWORK=10.22.0.0/16\nFLANNEL_SUBNET=10.22.7.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=false\n";
    std::fs::write("/run/flannel/subnet.env", env).unwrap();
    network("net", "1.0.0", &json!([{ "type": "flannel", "delegate": { "ipMasqBackend": "nftables" } }]));
    let pod = attach(&host, "net", "a", 8080);
    let before = host.snapshot();
    host.run("nft flush ruleset");
    let said = done(&host, &["restore"]);
    assert!(said.contains("masquerade") && said.contains("1 put back, 0 whole"), "{said}");
    host.snapshot().assert_same_as(&before, "restore");
    done(&host, &["check", "net", pod.netns().to_str().unwrap()]);
}

#[test]
fn an_attachment_that_is_not_the_one_of_the_cache_is_left_alone() {
    let host = Host::new();
    network("net", "1.1.0", &full_chain("nftables"));
    let [gone, other, _whole] =
        ["a", "b", "c"].map(|n| attach(&host, "net", n, 8080 + u16::from(n.as_bytes()[0])));
    gone.remove_netns();
    // Somebody else's interface of that name.
    other.run("ip link delete eth0");
    other.run("ip link add eth0 type veth peer name far");
    std::fs::write("/var/lib/cni/results/net-broken-eth0", "{\"kind\":\"cniCacheV1\",\"conta").unwrap();
    host.run("nft flush ruleset");
    let finished = cnitool(&host, &["restore", "net"]);
    let said = String::from_utf8_lossy(&finished.stdout).into_owned();
    assert_eq!(finished.status.code(), Some(1), "{said}{}", finished.stderr);
    assert!(said.ends_with("1 put back, 0 whole, 1 without a namespace, 2 FAILED\n"), "{said}");
    assert!(
        finished.stderr.contains("net-broken-eth0") && finished.stderr.contains("bridge: "),
        "{}",
        finished.stderr
    );
    let rules = host.run("nft list ruleset");
    assert!(
        rules.contains("10.22.0.4 ") && !rules.contains("10.22.0.2 ") && !rules.contains("10.22.0.3 "),
        "{rules}"
    );
    let unknown = cnitool(&host, &["restore", "nett"]);
    assert!(unknown.stderr.contains("did you mean \"net\"?"), "{}", unknown.stderr);
}

/// Neither a look nor a process for each.
#[test]
fn many_are_put_back_together() {
    needs!(Strace);
    for (backend, most) in [("nftables", 1), ("iptables", 16)] {
        Host::fresh(|host| {
            network("net", "1.1.0", &full_chain(backend));
            let _pods: Vec<_> = (0..8).map(|n| attach(host, "net", &format!("pod{n}"), 8080 + n)).collect();
            forget_namespaces(host);
            let before = State::of(host);
            host.run("nft flush ruleset");
            let trace = Trace::new(&["trace=execve"]);
            let said = text(&under(host, &trace, &["restore"]), &["restore"]);
            assert!(said.ends_with("8 put back, 0 whole\n"), "{said}");
            before.assert_is(host, &format!("{backend} restored: {said}"));
            let processes =
                trace.lines().into_iter().filter(|line| line.contains("execve(") && line.ends_with("= 0"));
            let processes: Vec<_> = processes.collect();
            assert!(processes.len() <= most, "{backend}: {processes:#?}");
        });
    }
}

/// Two want one port: whoever comes second is named, and everybody else is whole.
#[test]
fn one_that_cannot_be_put_back_keeps_no_other_from_it() {
    let host = Host::new();
    network("net", "1.1.0", &full_chain("nftables"));
    let pods = ["a", "b", "c", "d"].map(|n| attach(&host, "net", n, 8080 + u16::from(n.as_bytes()[0])));
    host.sh("sed -i 's/\"hostPort\":8178/\"hostPort\":8179/' /var/lib/cni/results/net-*");
    host.run("nft flush ruleset");
    let finished = cnitool(&host, &["restore"]);
    let said = String::from_utf8_lossy(&finished.stdout).into_owned();
    assert_eq!(finished.status.code(), Some(1), "{said}{}", finished.stderr);
    assert!(said.ends_with("4 put back, 0 whole, 1 FAILED\n"), "{said}");
    assert!(finished.stderr.contains("is taken by another container"), "{}", finished.stderr);
    for pod in [&pods[0], &pods[3]] {
        done(&host, &["check", "net", pod.netns().to_str().unwrap()]);
    }
}
