//! What an ADD may cost: requests, processes, memory, and the size of what is installed.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

use cni_tests::{ANCHOR, Conf, Host, Place, Service, Trace, needs, plugins, run};

#[test]
fn a_bridge_gateway_add_makes_at_most_12_rtnetlink_requests() {
    needs!(Strace);
    let host = Host::new();
    let conf = Conf::bridge().set("isGateway", true);
    host.after_one_container("bridge", &conf);
    let trace = Trace::new(&["trace=sendto,sendmsg,sendmmsg"]);
    let pod = host.container("pod");
    host.plugin("bridge").under(&trace.command()).add(&conf, &pod, "eth0").result();
    let lines = trace.lines();
    // One send may carry several messages: strace decodes each header.
    let requests: usize = lines.iter().map(|line| line.matches("nlmsg_type=RTM_").count()).sum();
    assert!((3..=12).contains(&requests), "{requests} requests:\n{}", lines.join("\n"));
}

/// An open below `/proc/sys/net` costs a millisecond where there are a thousand namespaces. What is left is what
/// netlink cannot set: that a new link ignores router advertisements.
#[test]
fn a_second_add_opens_no_sysctl_that_netlink_knows() {
    needs!(Strace);
    let bridge = Conf::bridge().set("isGateway", true).set("hairpinMode", true);
    for (plugin, conf) in [("bridge", bridge), ("ptp", Conf::ptp().ranges(&["10.33.0.0/24"]))] {
        let host = Host::new();
        host.after_one_container(plugin, &conf);
        let opened = |plugin: &str, conf: &Conf, pod: &cni_tests::Container| {
            let trace = Trace::new(&["trace=open,openat"]);
            let result = host.plugin(plugin).under(&trace.command()).add(conf, pod, "eth0").result();
            let lines = trace.lines().into_iter().filter(|line| line.contains("/proc/sys/net"));
            (result, lines.collect::<Vec<_>>())
        };
        let pod = host.container("pod");
        let (result, lines) = opened(plugin, &conf, &pod);
        assert!(lines.len() == 1 && lines[0].contains("/accept_ra"), "{plugin}: {lines:#?}");
        let portmap = Conf::new(serde_json::json!({
            "cniVersion": "1.0.0", "name": "net", "type": "portmap", "backend": "nftables", "snat": true,
            "runtimeConfig": { "portMappings": [cni_tests::published::mapping(8080, 80, "tcp")] }
        }));
        let (_, lines) = opened("portmap", &portmap.prev(&result), &pod);
        assert!(lines.is_empty(), "portmap behind {plugin}: {lines:#?}");
    }
}

/// Each is copied to every port of the bridge, while the plugin waits.
#[test]
fn an_add_says_to_the_other_containers_what_they_need_to_know_and_once() {
    let host = Host::new();
    let one = host.container("one");
    let conf = Conf::bridge().set("isGateway", true);
    host.plugin("bridge").add(&conf, &one, "eth0").result();
    let count = |name: &str| {
        let table = one.run("nft -j list table netdev seen");
        let table: serde_json::Value = serde_json::from_str(&table).unwrap();
        let counters = table["nftables"].as_array().unwrap().iter();
        let counter = counters.map(|item| &item["counter"]).find(|counter| counter["name"] == name);
        counter.unwrap()["packets"].as_u64().unwrap()
    };
    one.feed(
        "nft -f -",
        "table netdev seen {
           counter claims {}; counter advertisements {};
           chain in { type filter hook ingress device eth0 priority 0;
             arp operation request arp saddr ip 10.22.0.3 arp daddr ip 10.22.0.3 counter name claims
             icmpv6 type nd-neighbor-advert counter name advertisements; }; };",
    );
    host.plugin("bridge").add(&conf, &host.container("two"), "eth0").result();
    assert_eq!((count("claims"), count("advertisements")), (1, 0));
}

/// Whoever watches links on a node is told of each change, and while a link that is up has no carrier yet, IPv6 walks
/// all routes of the host with it.
#[test]
fn an_add_changes_its_link_before_it_is_up() {
    let host = Host::new();
    let conf = Conf::bridge().set("isGateway", true).set("hairpinMode", true);
    host.after_one_container("bridge", &conf);
    let monitor = Service::start(Command::new("ip").args(["-o", "monitor", "link"]));
    host.run("ip link add first type bridge");
    // Until it listens.
    while monitor.count(&["first"]) == 0 {
        host.run("ip link set first up");
        host.run("ip link set first down");
    }
    host.plugin("bridge").add(&conf, &host.container("pod"), "eth0").result();
    host.run("ip link add last type bridge");
    monitor.line(&["last"]);
    let lines: Vec<_> = monitor.lines().into_iter().filter(|line| line.contains(": veth")).collect();
    let without_carrier = lines.iter().filter(|line| line.contains("NO-CARRIER") || line.contains(",UP>"));
    assert!((1..=4).contains(&without_carrier.count()), "{lines:#?}");
    assert!((5..=11).contains(&lines.len()), "{lines:#?}");
}

#[test]
fn an_add_starts_no_process() {
    needs!(Strace);
    let host = Host::new();
    let conf = Conf::dual_stack_bridge().set("isDefaultGateway", true).set("macspoofchk", true);
    let conf = conf.set("ipMasq", true).set("ipMasqBackend", "nftables");
    let trace = Trace::new(&["trace=execve"]);
    let pod = host.container("pod");
    host.plugin("bridge").under(&trace.command()).add(&conf, &pod, "eth0").result();
    let started: Vec<_> = trace.lines().into_iter().filter(|line| line.contains("execve(")).collect();
    // The first is strace starting the plugin itself.
    assert_eq!(started.len(), 1, "{started:?}");
}

#[test]
fn nothing_in_an_add_sleeps() {
    needs!(Strace);
    let host = Host::new();
    let conf = Conf::dual_stack_bridge().set("isDefaultGateway", true);
    let trace = Trace::new(&["trace=nanosleep,clock_nanosleep"]);
    host.plugin("bridge").under(&trace.command()).add(&conf, &host.container("pod"), "eth0").result();
    assert_eq!(
        trace.lines().iter().filter(|line| line.contains("nanosleep")).count(),
        0,
        "{:?}",
        trace.lines()
    );
}

/// The standard library's handles of the streams begin with their buffers, and each size of allocation with a page.
#[test]
fn a_version_makes_at_most_12_system_calls() {
    needs!(Dist, Strace);
    let _host = Host::new();
    let trace = Trace::new(&["trace=all"]);
    let words = trace.command();
    let mut command = std::process::Command::new(words[0]);
    command.args(&words[1..]).arg(format!("{ANCHOR}/bin/bridge")).env("CNI_COMMAND", "VERSION");
    assert!(run(&mut command, b"").status.success());
    let calls: Vec<_> = trace.lines().into_iter().filter(|line| line.contains('(')).collect();
    // The start of the GNU C library alone makes five more.
    let most = if calls.iter().any(|call| call.contains("set_robust_list(")) { 17 } else { 12 };
    assert!((5..=most).contains(&calls.len()), "{}:\n{}", calls.len(), calls.join("\n"));
}

#[test]
fn installed_executables_are_static_and_small() {
    needs!(Dist);
    let host = Host::new();
    for name in plugins().into_iter().chain(["cnitool".to_owned()]) {
        let path = format!("{ANCHOR}/bin/{name}");
        let headers = host.run(&format!("readelf -W -l -d {path}"));
        assert!(!headers.contains("INTERP") && !headers.contains("NEEDED"), "{name}: {headers}");
        let size = std::fs::metadata(&path).unwrap().len();
        let most = match name.as_str() {
            // It has an event loop.
            "dhcp" => 4_000_000,
            // It has the field's netlink crates, and the plugins' lists.
            "cnitool" => 5 << 20,
            _ if has_own_standard_library(&path) => 1_250_000,
            _ => 1_500_000,
        };
        assert!(size <= most, "{name} has {size} bytes");
    }
}

/// Whether the executable's standard library was compiled for it: the toolchain's own says where it was compiled.
fn has_own_standard_library(path: &str) -> bool {
    let bytes = std::fs::read(path).unwrap();
    !bytes.windows(7).any(|bytes| bytes == b"/rustc/")
}

#[test]
fn all_plugins_are_one_small_file() {
    needs!(DistOne);
    let sizes = plugins().into_iter().map(|name| {
        let file = std::fs::metadata(format!("{ANCHOR}/bin/one/{name}")).unwrap();
        (file.ino(), file.len())
    });
    let files: BTreeMap<u64, u64> = sizes.collect();
    assert_eq!(files.len(), 1, "the names are links to one file: {files:?}");
    let is_small = has_own_standard_library(&format!("{ANCHOR}/bin/one/bridge"));
    let most = if is_small { 2_600_000 } else { 3_000_000 };
    assert!(files.values().all(|&size| size <= most), "{files:?}, at most {most}");
}

/// The limit is on the whole address space, of which resident memory is a part: a plugin that works within it never
/// had more than 4 MB, its IPAM plugin included.
#[test]
fn an_add_needs_at_most_4_mb() {
    needs!(Dist);
    let host = Host::new();
    let bin = format!("{ANCHOR}/bin");
    for (plugin, conf) in
        [("bridge", Conf::dual_stack_bridge().set("macspoofchk", true)), ("ptp", Conf::ptp())]
    {
        let conf = conf.set("name", plugin).set("ipMasq", true).set("ipMasqBackend", "nftables");
        let pod = host.container(plugin);
        let mut command = host.command("sh");
        command.args(["-c", &format!("ulimit -v 4096; exec {bin}/{plugin}")]);
        command.env("CNI_PATH", &bin).env("CNI_COMMAND", "ADD").env("CNI_CONTAINERID", plugin);
        command.env("CNI_NETNS", pod.netns()).env("CNI_IFNAME", "eth0");
        let done = run(&mut command, conf.text().as_bytes());
        assert!(done.status.success(), "{done:?}, {}", String::from_utf8_lossy(&done.stdout));
        assert_eq!(pod.addresses("eth0").len(), 2);
    }
}

/// Bytes that were received over netlink.
fn received(trace: &Trace) -> usize {
    let lines = trace.lines();
    let answers = lines.iter().filter(|line| line.contains("recv"));
    answers.filter_map(|line| line.rsplit("= ").next()?.trim().parse::<usize>().ok()).sum()
}

/// Chains and rules as of a node with a service mesh.
fn foreign_rules(host: &Host, count: usize) {
    for tool in ["iptables", "ip6tables"] {
        let ip = if tool == "iptables" { "192.0.2.1" } else { "2001:db8::1" };
        for table in ["nat", "filter"] {
            let rule = format!("-A FOREIGN -d {ip} -m comment --comment \"name: x\" -j RETURN\n");
            let text = format!("*{table}\n:FOREIGN - [0:0]\n{}COMMIT\n", rule.repeat(count));
            host.feed(&format!("{tool}-restore --noflush"), &text);
        }
    }
}

#[test]
fn foreign_rules_do_not_make_any_verb_receive_more() {
    needs!(Iptables, Strace);
    let chained = |backend| {
        Conf::new(serde_json::json!({
            "cniVersion": "1.1.0", "name": "net", "type": "firewall", "backend": backend
        }))
    };
    for backend in ["iptables", "nftables"] {
        let bridge = Conf::dual_stack_bridge().set("isDefaultGateway", true).set("macspoofchk", true);
        let cases = [("bridge", bridge), ("ptp", Conf::ptp()), ("firewall", chained(backend))];
        for (plugin, conf) in cases {
            let conf = conf.version("1.1.0").set("ipMasq", true).set("ipMasqBackend", backend);
            let bytes = |foreign| {
                let host = Host::new();
                host.run("iptables-nft -t nat -N EARLIER");
                foreign_rules(&host, foreign);
                let mut received_by = Vec::new();
                let mut prev = serde_json::json!({
                    "cniVersion": "1.1.0", "ips": [{ "address": "10.22.0.2/24" }, { "address": "fd00:22::2/64" }]
                });
                let with = |conf: &Conf, prev: &_| {
                    if plugin == "firewall" { conf.clone().prev(prev) } else { conf.clone() }
                };
                // The first leaves what stays for good.
                let first = host.container("first");
                host.plugin(plugin).add(&with(&conf, &prev), &first, "eth0").result();
                host.plugin(plugin).del(&with(&conf, &prev), &first, "eth0").done();
                let pod = host.container("pod");
                let mut call = |verb: &str, act: &mut dyn FnMut(cni_tests::Call)| {
                    let trace = Trace::new(&["trace=recvfrom,recvmsg,recvmmsg"]);
                    // What iptables itself does is its own.
                    let runs_tools = ["ADD", "STATUS"].contains(&verb);
                    let trace = if runs_tools { trace.without_children() } else { trace };
                    act(host.plugin(plugin).under(&trace.command()));
                    received_by.push((verb.to_owned(), received(&trace)));
                };
                call("ADD", &mut |call| prev = call.add(&with(&conf, &prev), &pod, "eth0").result());
                call("CHECK", &mut |call| call.check(&conf.clone().prev(&prev), &pod, "eth0").done());
                call("STATUS", &mut |call| call.status(&conf).done());
                call("GC", &mut |call| call.gc(&conf, &[(&pod, "eth0")]).done());
                call("DEL", &mut |call| call.del(&conf.clone().prev(&prev), &pod, "eth0").done());
                call("GC of nothing", &mut |call| call.gc(&conf, &[]).done());
                received_by
            };
            let (without, with) = (bytes(0), bytes(5000));
            assert!(without.iter().all(|(verb, bytes)| verb == "STATUS" || *bytes > 0), "{without:?}");
            // Handles and lengths of the answers differ by a few bytes.
            for ((verb, few), (_, many)) in without.iter().zip(&with) {
                assert!(
                    *many < few + 2_000,
                    "{plugin} {backend} {verb}: {few} bytes, {many} with foreign rules"
                );
            }
        }
    }
}
