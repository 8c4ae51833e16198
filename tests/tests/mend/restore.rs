//! `cnitool restore`.

use cni_tests::{Host, Place, Suite, needs, run};
use serde_json::json;

use crate::kit::{attach, cnitool, done, full_chain, network};

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

/// Everything that could be taken. The ifbs' hardware addresses are random.
#[derive(PartialEq)]
struct State(Vec<String>);

impl State {
    fn of(host: &Host) -> Self {
        let numberless = |text: String| text.replace(|c: char| c.is_ascii_digit(), "");
        let forwards = ["ipv4/ip_forward", "ipv6/conf/all/forwarding"].map(|key| host.sysctl(key));
        let qdiscs = host.run("tc qdisc show");
        let lines =
            host.snapshot().lines().filter(|l| !l.starts_with("link \"bwp")).map(str::to_owned).collect();
        let mut all =
            [lines, forwards.to_vec(), qdiscs.lines().map(|l| numberless(l.to_owned())).collect()].concat();
        all.sort();
        Self(all)
    }

    fn assert_is(&self, host: &Host, after: &str) {
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

/// A restore that is killed at any step, or refused any request, takes nothing; the next one finishes.
#[test]
fn a_restore_that_ends_anywhere_is_finished_by_the_next() {
    needs!(Strace);
    let host = &Host::new();
    network("net", "1.1.0", &full_chain("nftables"));
    let pod = attach(host, "net", "a", 8080);
    let before = State::of(host);
    let tool = Suite::Ours.source().join("cnitool");
    for fault in ["signal=KILL", "error=ENOMEM"] {
        let mut faults = 0;
        // Spread over the whole run.
        for n in [1, 2, 3, 5, 8, 13, 21, 34, 55] {
            host.run("nft flush ruleset");
            let mut command = host.command("strace");
            command.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=sendto,openat", "-e"]);
            command.arg(format!("inject=sendto:{fault}:when={n}")).arg(&tool).arg("restore");
            let ended = run(command.env("CNI_PATH", Suite::Ours.source()), b"");
            faults += usize::from(!ended.status.success());
            assert!(pod.find_link("eth0").is_some());
            done(host, &["restore"]);
            before.assert_is(host, &format!("{fault} at {n}, and restored"));
        }
        assert!(faults > 3, "{fault}: only {faults} had an effect");
    }
}
