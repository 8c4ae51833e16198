//! Requests to the kernel: many at once, lists that change while they are read, kernels that lack what newer ones have,
//! and answers that come before the work is done.

use cni_tests::{Conf, Host, Place, Trace, needs};
use serde_json::{Value, json};

fn static_ipam(conf: Conf, addresses: impl Iterator<Item = String>) -> Conf {
    let addresses: Vec<Value> = addresses.map(|address| json!({ "address": address })).collect();
    conf.set("ipam", json!({ "type": "static", "addresses": addresses }))
}

/// The answers to one write have to fit into the receive buffer: by default there is room for some 250.
#[test]
fn hundreds_of_addresses_and_routes_are_added() {
    for (v4, v6, routes) in [(300, 0, 0), (20, 270, 0), (500, 200, 400)] {
        for (plugin, conf) in [("bridge", Conf::bridge()), ("tap", Conf::bridge().set("type", "tap"))] {
            let host = Host::new();
            let pod = host.container("pod");
            let addresses = (0..v4).map(|n| format!("10.9.{}.{}/16", n / 250, n % 250 + 1));
            let addresses = addresses.chain((1..=v6).map(|n| format!("fd00:9::{n:x}/64")));
            let conf = static_ipam(conf, addresses);
            let dst = |n| format!("10.{}.{}.0/24", 100 + n / 200, n % 200);
            let list: Vec<_> = (0..routes).map(|n| json!({ "dst": dst(n), "gw": "10.9.0.250" })).collect();
            let conf = if plugin == "tap" { conf.remove("bridge") } else { conf };
            let conf = conf.ipam("routes", list);
            let result = host.plugin(plugin).add(&conf, &pod, "eth0").result();
            assert_eq!(pod.addresses("eth0").len(), v4 + v6, "{plugin}");
            assert_eq!(pod.ip("-4 route show").len(), routes + 1, "{plugin}");
            host.plugin(plugin).check(&conf.clone().prev(&result), &pod, "eth0").done();
            host.plugin(plugin).del(&conf, &pod, "eth0").done();
        }
    }
}

/// A trace in which every list that ends at the `n`th datagram or any `step`th one after it says that a change
/// interrupted it: `NLM_F_MULTI | NLM_F_DUMP_INTR` in the header of its end.
fn interrupted(n: usize, step: usize) -> Trace {
    let header: String = [&20_u32.to_ne_bytes()[..], &3_u16.to_ne_bytes(), &0x12_u16.to_ne_bytes()]
        .concat()
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    let inject = format!("inject=recvfrom:poke_exit=@arg2={header}:when={n}+{step}");
    Trace::new(&["trace=recvfrom,recv", &inject]).without_children()
}

/// The datagrams that a traced plugin received, in the order of their arrival.
fn datagrams(trace: &Trace) -> Vec<String> {
    trace.lines().into_iter().filter(|line| line.contains("recvfrom(")).collect()
}

fn ends_a_list(line: &str) -> bool {
    line.contains("nlmsg_len=20, nlmsg_type=NLMSG_DONE")
}

/// A trace in which the list that ends with this datagram of a plain trace, whose number is counted from 1, is
/// interrupted each time it is asked for.
fn interrupted_at(plain: &Trace, end: usize) -> Trace {
    let datagrams = datagrams(plain);
    // The socket and the request's number are in front of the first message.
    let list = |line: &String| {
        let number = line.split("nlmsg_seq=").nth(1)?.split(',').next()?.to_owned();
        Some((line.split(',').next()?.to_owned(), number))
    };
    let own = list(&datagrams[end - 1]);
    assert!(own.is_some(), "{datagrams:?}");
    interrupted(end, datagrams[..end].iter().rev().take_while(|line| list(line) == own).count())
}

/// A list of links that is only counted, or searched for tags, does although links come and go: node and GC go on.
#[test]
fn a_list_that_keeps_changing_will_do_for_counting_and_for_tags() {
    needs!(Strace);
    let host = Host::new();
    let conf = Conf::bridge().version("1.1.0");
    let pod = host.container("pod");
    host.plugin("bridge").add(&conf, &pod, "eth0").result();
    for verb in ["STATUS", "GC"] {
        let call = |trace: &Trace| {
            let call = host.plugin("bridge").under(&trace.command());
            if verb == "GC" { call.gc(&conf, &[(&pod, "eth0")]) } else { call.status(&conf) }
        };
        let plain = Trace::new(&["trace=recvfrom"]).without_children();
        call(&plain).done();
        let end = datagrams(&plain).iter().rposition(|line| ends_a_list(line));
        let end = end.unwrap_or_else(|| panic!("{verb}: {:?}", plain.lines())) + 1;
        let trace = interrupted_at(&plain, end);
        call(&trace).done();
        let lists = datagrams(&trace).iter().filter(|line| line.contains("NLM_F_DUMP_INTR")).count();
        assert!((3..20).contains(&lists), "{verb}: {lists} tries, {:?}", trace.lines());
    }
}

/// What has to be exact is not guessed: the runtime is told to try again.
#[test]
fn a_list_that_keeps_changing_is_error_11_where_it_has_to_be_exact() {
    needs!(Strace);
    let host = Host::new();
    let conf = Conf::bridge();
    let pod = host.container("pod");
    let result = host.plugin("bridge").add(&conf, &pod, "eth0").result();
    let conf = conf.prev(&result);
    let plain = Trace::new(&["trace=recvfrom"]).without_children();
    host.plugin("bridge").under(&plain.command()).check(&conf, &pod, "eth0").done();
    let end = datagrams(&plain).iter().position(|line| ends_a_list(line)).unwrap() + 1;
    let trace = interrupted_at(&plain, end);
    let error = host.plugin("bridge").under(&trace.command()).check(&conf, &pod, "eth0").error();
    error.says(11, &["list", "changing"]);
}

/// Linux before 4.20, 4.12 and 4.11: no strict dumps, no words with a refusal, no kind of namespace files. Filters of
/// lists then are not honoured.
#[test]
fn a_kernel_without_optional_features_will_do() {
    needs!(Strace);
    let refused = || {
        Trace::new(&[
            "trace=setsockopt,ioctl",
            "inject=setsockopt:error=ENOPROTOOPT",
            "inject=ioctl:error=ENOTTY",
        ])
    };
    let bridge = Conf::dual_stack_bridge().set("isDefaultGateway", true).set("ipMasq", true);
    for (plugin, conf) in [
        ("loopback", Conf::loopback()),
        ("bridge", bridge.set("ipMasqBackend", "nftables").set("macspoofchk", true)),
        ("ptp", Conf::ptp()),
    ] {
        let host = Host::new();
        let pod = host.container("pod");
        let ifname = if plugin == "loopback" { "lo" } else { "eth0" };
        host.pair(&pod, "other0", "other", &["10.99.0.1/24"]);
        let conf = conf.version("1.1.0");
        let trace = refused();
        let under = || host.plugin(plugin).under(&trace.command());
        under().status(&conf).done();
        let result = under().add(&conf, &pod, ifname).result();
        assert!(
            trace.lines().iter().any(|line| line.contains("ENOPROTOOPT")),
            "{plugin}: {:?}",
            trace.lines()
        );
        let checked = conf.clone().prev(&result);
        under().check(&checked, &pod, ifname).done();
        if plugin != "loopback" {
            let address = pod.addresses("eth0").remove(0);
            pod.run(&format!("ip address del {address} dev eth0"));
            pod.run(&format!("ip address add {address} dev other"));
            under().check(&checked, &pod, ifname).error().says(103, &[&address, "eth0"]);
            under().gc(&conf, &[(&pod, ifname)]).done();
            assert!(pod.find_link("eth0").is_some());
        }
        under().del(&conf, &pod, ifname).done();
        assert!(plugin == "loopback" || pod.find_link("eth0").is_none());
    }
}

/// Linux before 5.6 has no message for the VLANs of one port.
#[test]
fn a_kernel_that_lists_vlans_with_all_ports_only_will_do() {
    needs!(BridgeVlan, Strace);
    let conf = Conf::bridge().set("vlan", 100).set("preserveDefaultVlan", false);
    let host = Host::new();
    // The first makes the bridge; those behind it make the same requests.
    host.plugin("bridge").add(&conf, &host.container("first"), "eth0").result();
    let trace = Trace::new(&["trace=sendto"]).without_children();
    host.plugin("bridge").under(&trace.command()).add(&conf, &host.container("second"), "eth0").result();
    let sends: Vec<_> = trace.lines().into_iter().filter(|line| line.contains("sendto(")).collect();
    let is_listing = |line: &String| {
        ["RTM_GETVLAN,", "0x72 "].iter().any(|name| line.contains(&format!("nlmsg_type={name}")))
    };
    let n = sends.iter().position(is_listing).unwrap_or_else(|| panic!("no list of VLANs: {sends:?}"));
    let trace = Trace::refusing(n + 1, trace.request_lengths()[n]);
    let pod = host.container("third");
    let result = host.plugin("bridge").under(&trace.command()).add(&conf, &pod, "eth0").result();
    let port = result["interfaces"][1]["name"].as_str().unwrap();
    let vlans = host.json(&format!("bridge -j vlan show dev {port}"));
    assert_eq!(vlans[0]["vlans"].as_array().map(Vec::len), Some(1), "{vlans}");
    assert_eq!(vlans[0]["vlans"][0]["vlan"], 100);
    host.plugin("bridge").check(&conf.prev(&result), &pod, "eth0").done();
}

/// The kernel's worker that finishes an address waits for the processor that the plugin was on, and cannot have it
/// before somebody has looked: everything runs there, with a real-time policy where that is allowed.
const LOOK: &str = "chrt -f -p 1 $$ >/dev/null 2>&1
    \"$0\"; status=$?
    ip -6 route show table local >/run/outside
    nsenter --net=$CNI_NETNS ip -6 route show table local >/run/inside
    exit $status";

#[test]
fn ipv6_addresses_are_usable_when_add_returns() {
    let bridge = Conf::dual_stack_bridge();
    for (plugin, conf, inside, outside) in [
        ("bridge", bridge.clone().set("isGateway", true), "fd00:22::2", Some("fd00:22::1")),
        ("ptp", Conf::ptp(), "fd00:33::2", Some("fd00:33::1")),
        ("tap", bridge.set("type", "tap").remove("bridge"), "fd00:22::2", None),
    ] {
        let host = Host::new();
        for n in 0..3 {
            let pod = host.container(&format!("{plugin}{n}"));
            let under = ["taskset", "-c", "0", "sh", "-c", LOOK];
            host.plugin(plugin).under(&under).add(&conf, &pod, "eth0").result();
            let seen = |file, ip| host.run(&format!("cat {file}")).contains(&format!("local {ip} dev"));
            assert!(seen("/run/inside", inside), "{plugin}: {inside} in the container");
            assert!(outside.is_none_or(|ip| seen("/run/outside", ip)), "{plugin}: {outside:?} on the host");
            host.plugin(plugin).del(&conf, &pod, "eth0").done();
            host.sh("ip link del br0 2>/dev/null; rm -rf /var/lib/cni/networks");
        }
    }
}
