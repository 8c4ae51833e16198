//! The same configuration through our plugins and Debian's build of the reference: same result, same state of host
//! and container, but for the deviations listed here.

use cni_tests::{Conf, Host, Place, Suite, VERSIONS, needs, plain};
use serde_json::json;

/// What may differ, and why. A line that contains the text is left out on both sides.
const DEVIATIONS: [(&str, &str); 6] = [
    (" / comment \"", "our chains name their owner, network included, for GC"),
    (
        " /run/cni/masquerade",
        "our record of the addresses, so that DEL and undo take no more than an attachment's own",
    ),
    (".host-local.index", "our index beside the reservations; only a hint, and the reference ignores it"),
    ("sysctl ipv6/conf/eth0/accept_dad", "without IPv6 addresses we leave it; with them: bridge_routes.rs"),
    ("sysctl ipv6/conf/eth0/keep_addr_on_down", "the reference sets it since a release later than Debian's"),
    (
        "table local",
        "the kernel's own routes; the reference's IPv6 addresses are still tentative when it returns",
    ),
];

fn cases() -> Vec<(&'static str, Conf)> {
    let base = Conf::dual_stack_bridge;
    let routes = json!([{ "dst": "192.0.2.0/24" }, { "dst": "2001:db8::/32", "gw": "fd00:22::9" }, { "dst": "0.0.0.0/0" }]);
    let addresses =
        json!([{ "address": "10.22.0.9/24", "gateway": "10.22.0.254" }, { "address": "fd00:22::9/64" }]);
    vec![
        ("bridge", Conf::bridge()),
        ("bridge", base().set("isGateway", true)),
        ("bridge", base().set("isDefaultGateway", true).set("mtu", 1400)),
        ("bridge", base().set("isGateway", true).ipam("routes", routes)),
        ("bridge", base().set("isGateway", true).set("ipMasq", true)),
        ("bridge", base().set("hairpinMode", true).set("macspoofchk", true)),
        ("bridge", base().set("promiscMode", true).set("dns", json!({ "search": ["example"] }))),
        ("bridge", base().set("runtimeConfig", json!({ "mac": "0a:00:00:00:00:01" }))),
        ("bridge", base().set("ipam", json!({ "type": "static", "addresses": addresses }))),
        ("bridge", Conf::layer2_bridge()),
        ("ptp", Conf::ptp()),
        (
            "ptp",
            Conf::ptp().set("ipMasq", true).set("mtu", 1400).ipam("routes", json!([{ "dst": "0.0.0.0/0" }])),
        ),
        ("ptp", Conf::ptp().set("ipam", json!({ "type": "static", "addresses": [addresses[0].clone()] }))),
        ("loopback", Conf::loopback()),
    ]
}

fn differences(plugin: &str, conf: &Conf) -> Vec<String> {
    let known: Vec<_> = DEVIATIONS.iter().map(|(text, _)| *text).collect();
    cni_tests::differences(&known, |host, suite, pod| {
        host.call(suite, plugin).add(conf, pod, "eth0").result()
    })
}

#[test]
fn add_has_the_same_outcome() {
    needs!(Reference, Iptables);
    let mut all = Vec::new();
    for (plugin, conf) in cases() {
        let found = differences(plugin, &conf);
        if !found.is_empty() {
            all.push(format!("{}\n{}", conf.text(), found.join("\n")));
        }
    }
    assert!(all.is_empty(), "(+ ours, - the reference's)\n{}", all.join("\n"));
}

#[test]
fn results_are_the_same_in_every_version_the_reference_has() {
    needs!(Reference);
    for version in VERSIONS.into_iter().filter(|v| *v != "1.1.0") {
        for (plugin, conf) in
            [("bridge", Conf::dual_stack_bridge().set("isDefaultGateway", true)), ("ptp", Conf::ptp())]
        {
            let found = differences(plugin, &conf.version(version));
            assert!(found.is_empty(), "{version}: (+ ours, - the reference's)\n{}", found.join("\n"));
        }
    }
}

/// host-local alone: results and every file, over a sequence of calls.
#[test]
fn host_local_keeps_the_same_files() {
    needs!(Reference);
    let run = |suite: Suite| {
        Host::fresh(|host| {
            let call = || {
                if suite == Suite::Ours { host.plugin("host-local") } else { host.reference("host-local") }
            };
            let conf = Conf::dual_stack_bridge().ipam("routes", json!([{ "dst": "0.0.0.0/0" }]));
            let pods: Vec<_> = (0..4).map(|n| host.container(&format!("pod{n}"))).collect();
            let mut seen: Vec<String> = Vec::new();
            for (n, pod) in pods.iter().chain(&pods[..1]).enumerate() {
                let ifname = if n == 4 { "net1" } else { "eth0" };
                seen.push(plain(call().add(&conf, pod, ifname).result()).to_string());
            }
            call().del(&conf, &pods[1], "eth0").done();
            let requested = conf.clone().set("runtimeConfig", json!({ "ips": ["10.22.0.77/24"] }));
            seen.push(plain(call().add(&requested, &pods[1], "eth0").result()).to_string());
            call().del(&conf, &pods[3], "eth0").done();
            seen.extend(
                host.sh("cd /var/lib/cni/networks && grep -rH '' net --exclude=.* | sort")
                    .lines()
                    .map(str::to_owned),
            );
            seen.push(host.sh("cd /var/lib/cni/networks && find net ! -name '.*' -printf '%p %s\\n' | sort"));
            seen
        })
    };
    assert_eq!(run(Suite::Ours), run(Suite::Reference));
}

#[test]
fn static_gives_the_same_results() {
    needs!(Reference);
    let addresses =
        json!([{ "address": "10.22.0.9/24", "gateway": "10.22.0.1" }, { "address": "fd00:22::0009/64" }]);
    let ipam = json!({ "type": "static", "addresses": addresses, "dns": { "nameservers": ["192.0.2.53"] },
        "routes": [{ "dst": "0.0.0.0/0" }, { "dst": "192.0.2.0/24", "gw": "10.22.0.5" }] });
    let conf = Conf::bridge().set("ipam", ipam);
    let variants = [
        (conf.clone(), ""),
        (conf.clone(), "IP=10.22.0.10/24,fd00:22::10/64;GATEWAY=10.22.0.1"),
        (conf.clone().set("args", json!({ "cni": { "ips": ["10.22.0.11/24"] } })), ""),
        (conf.set("runtimeConfig", json!({ "ips": ["10.22.0.12/24"] })), ""),
    ];
    for (conf, args) in variants {
        for version in ["0.2.0", "0.4.0", "1.0.0"] {
            let run = |suite: Suite| {
                Host::fresh(|host| {
                    let call =
                        if suite == Suite::Ours { host.plugin("static") } else { host.reference("static") };
                    let outcome = call.env("CNI_ARGS", args).add(
                        &conf.clone().version(version),
                        &host.container("pod"),
                        "eth0",
                    );
                    (outcome.exit == Some(0)).then(|| plain(outcome.result()))
                })
            };
            assert_eq!(run(Suite::Ours), run(Suite::Reference), "{version} {args} {}", conf.text());
        }
    }
}
