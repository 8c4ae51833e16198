//! `portmap`: one container on two networks, or with two interfaces in one, asks for the same port of the host twice.
//! Both get it: the port leads to the first, and once either is gone to the other.

use std::net::IpAddr;

use cni_tests::published::{From, mapping};
use cni_tests::{Conf, Container, Host, Place, arrives_at, needs};
use serde_json::{Value, json};

const BACKENDS: [&str; 2] = ["nftables", "iptables"];
/// The addresses of the first and the second attachment.
const OF: [[&str; 2]; 2] = [["10.22.0.2", "fd00:22::2"], ["10.23.0.2", "fd00:23::2"]];
const HOST: [&str; 2] = ["198.51.100.1", "[2001:db8:51::1]"];

/// The second attachment: on another bridge, to the network `network`.
fn attach_eth1(host: &Host, pod: &Container, network: &str) -> Value {
    let conf = Conf::dual_stack_bridge().ranges(&["10.23.0.0/24", "fd00:23::/64"]).set("bridge", "br1");
    let conf = conf.set("name", format!("{network}-1")).set("isGateway", true);
    let result = host.plugin("bridge").add(&conf, pod, "eth1").result();
    // Answers leave by the interface the request came in by.
    for (index, ips) in OF.iter().enumerate() {
        for (ip, family) in ips.iter().zip(["-4", "-6"]) {
            let (table, dev) = (100 + index, format!("eth{index}"));
            let gateway = ip.trim_end_matches('2').to_owned() + "1";
            pod.run(&format!("ip {family} rule add from {ip} table {table}"));
            pod.run(&format!("ip {family} route add default via {gateway} dev {dev} table {table}"));
        }
    }
    result
}

struct Twice {
    host: Host,
    outside: Container,
    pod: Container,
    /// One for each attachment, with its result.
    confs: [Conf; 2],
}

impl Twice {
    fn new(backend: &str, ports: [&Value; 2], networks: [&str; 2]) -> Self {
        let host = Host::new();
        let (outside, pod) = (host.outside(), host.container("pod"));
        let results = [host.attach(&pod), attach_eth1(&host, &pod, networks[1])];
        let conf = |n: usize| Conf::portmap(backend, ports[n]).set("name", networks[n]).prev(&results[n]);
        Self { outside, pod, confs: [conf(0), conf(1)], host }
    }

    fn add(&self, n: usize) {
        self.host.plugin("portmap").add(&self.confs[n], &self.pod, &format!("eth{n}")).result();
    }

    fn check(&self, n: usize) {
        self.host.plugin("portmap").check(&self.confs[n], &self.pod, &format!("eth{n}")).done();
    }

    /// As a runtime that has lost everything does it, which must not take more than what the attachment has.
    fn del(&self, n: usize) {
        let conf = self.confs[n].clone().remove("runtimeConfig").remove("prevResult");
        let call = self.host.plugin("portmap").without("CNI_NETNS");
        call.del(&conf, &self.pod, &format!("eth{n}")).done();
    }

    /// Asserts that these (protocol, port of the host, port of the container) lead to attachment `n`.
    fn lead_to(&self, ports: &[(&str, u16, u16)], n: usize, when: &str) {
        for (protocol, host_port, port) in ports {
            for (ip, expected) in HOST.iter().zip(OF[n]) {
                let to = format!("{ip}:{host_port}");
                let from = From::Container(&self.outside);
                let at = arrives_at(from, &to, protocol, &self.pod, *port);
                assert_eq!(at, expected.parse::<IpAddr>().unwrap(), "{when}: {protocol} {to}");
            }
        }
    }
}

/// Both are added, and one of them goes: the first, then the second of a fresh pair.
fn shares(backend: &str, ports: [&Value; 2], networks: [&str; 2], reached: &[(&str, u16, u16)]) {
    for gone in [0, 1] {
        Host::fresh(|_| {
            let twice = Twice::new(backend, ports, networks);
            let when = |what: &str| format!("{backend}, {networks:?}, {what}, {} {}", ports[0], ports[1]);
            twice.add(0);
            twice.del(0);
            let before = twice.host.snapshot();
            twice.add(0);
            twice.add(1);
            twice.lead_to(reached, 0, &when("both"));
            twice.check(0);
            twice.check(1);
            // What an ADD finds complete stays as it is.
            twice.add(0);
            twice.add(1);
            twice.lead_to(reached, 0, &when("both again"));
            twice.del(gone);
            twice.lead_to(reached, 1 - gone, &when("one is gone"));
            twice.check(1 - gone);
            twice.add(gone);
            twice.lead_to(reached, 1 - gone, &when("it is back, behind the other"));
            twice.check(gone);
            twice.del(1 - gone);
            twice.lead_to(reached, gone, &when("the other is gone"));
            twice.del(gone);
            let leftovers = twice.host.snapshot().since(&before);
            let leads =
                |line: &&String| line.contains("10.2") || line.contains("fd00:2") || line.contains("CNI-DN-");
            assert_eq!(leftovers.iter().find(leads), None, "{}", when("both are gone"));
        });
    }
}

#[test]
fn one_port_on_two_networks_or_two_interfaces_leads_to_the_first_and_then_to_the_other() {
    needs!(Iptables);
    let ports = json!([mapping(8080, 80, "tcp"), mapping(5353, 53, "udp"), mapping(9899, 99, "sctp")]);
    let reached = [("tcp", 8080, 80), ("udp", 5353, 53), ("sctp", 9899, 99)];
    for backend in BACKENDS {
        for networks in [["net", "second"], ["net", "net"]] {
            shares(backend, [&ports, &ports], networks, &reached);
        }
    }
}

#[test]
fn ports_of_one_address_are_shared_by_the_attachments_of_a_container() {
    needs!(Iptables);
    let at = |ip: &str| json!({ "hostPort": 8080, "containerPort": 80, "protocol": "tcp", "hostIP": ip });
    let (one, family) = (json!([at(HOST[0]), at("2001:db8:51::1")]), json!([at("0.0.0.0"), at("::")]));
    for backend in BACKENDS {
        shares(backend, [&one, &one], ["net", "second"], &[("tcp", 8080, 80)]);
        shares(
            backend,
            [&family, &json!([mapping(8080, 80, "tcp")])],
            ["net", "second"],
            &[("tcp", 8080, 80)],
        );
    }
}

#[test]
fn ranges_are_shared_by_the_attachments_of_a_container() {
    let range = |from: u16, to: u16| json!((from..to).map(|p| mapping(p, p, "tcp")).collect::<Vec<_>>());
    let (first, second, one) = (range(1000, 1100), range(1050, 1150), range(1077, 1078));
    let reached = [("tcp", 1077, 1077)];
    for ports in [[&first, &first], [&first, &second], [&first, &one], [&one, &first]] {
        shares("nftables", ports, ["net", "second"], &reached);
    }
}

#[test]
fn the_port_of_another_container_is_still_refused() {
    needs!(Iptables);
    let ports = json!([mapping(8080, 80, "tcp")]);
    for backend in BACKENDS {
        let twice = Twice::new(backend, [&ports, &ports], ["net", "second"]);
        twice.add(0);
        twice.add(1);
        let other = twice.host.container("other");
        let conf = Conf::portmap(backend, &ports).prev(&twice.host.attach(&other));
        for _ in 0..2 {
            twice.host.plugin("portmap").add(&conf, &other, "eth0").error().says(11, &["8080/tcp", "pod"]);
            twice.del(0);
        }
    }
}

/// A search path on which this tool fails.
fn failing_restore(host: &Host, tool: &str) -> String {
    host.sh(&format!(
        "mkdir -p /run/broken && printf '#!/bin/sh\\necho broken >&2; exit 1\\n' > /run/broken/{tool}; \
         chmod 755 /run/broken/{tool}"
    ));
    format!("/run/broken:{}", std::env::var("PATH").unwrap())
}

#[test]
fn a_failed_add_of_a_second_interface_leaves_the_first_alone() {
    needs!(Iptables);
    let ports = json!([mapping(8080, 80, "tcp")]);
    let taken = json!([mapping(8080, 80, "tcp"), mapping(7070, 70, "tcp")]);
    for backend in BACKENDS {
        let twice = Twice::new(backend, [&ports, &ports], ["net", "net"]);
        let holder = twice.host.container("holder");
        let conf =
            Conf::portmap(backend, &json!([mapping(7070, 70, "tcp")])).prev(&twice.host.attach(&holder));
        twice.host.plugin("portmap").add(&conf, &holder, "eth0").result();
        twice.add(0);
        // Once, so that everything that stays for good is there.
        twice.add(1);
        twice.del(1);
        let before = twice.host.snapshot();
        let add = |call: cni_tests::Call, conf: &Conf| call.add(conf, &twice.pod, "eth1");
        let asked = twice.confs[1].clone().set("runtimeConfig", json!({ "portMappings": taken }));
        add(twice.host.plugin("portmap"), &asked).error().says(11, &["7070/tcp", "holder"]);
        twice.host.snapshot().assert_same_as(&before, &format!("{backend}: a taken port"));
        for tool in ["iptables-restore", "ip6tables-restore"].iter().filter(|_| backend == "iptables") {
            let path = failing_restore(&twice.host, tool);
            add(twice.host.plugin("portmap").env("PATH", path), &twice.confs[1])
                .error()
                .says(101, &["broken"]);
            twice.host.run("rm -r /run/broken");
            twice.host.snapshot().assert_same_as(&before, &format!("{tool} fails"));
        }
        // A stdout that takes nothing: the attachment is taken back.
        let to_full = ["sh", "-c", "exec \"$0\" > /dev/full"];
        let outcome = add(twice.host.plugin("portmap").under(&to_full), &twice.confs[1]);
        assert_eq!(outcome.exit, Some(1), "{outcome:?}");
        twice.host.snapshot().assert_same_as(&before, &format!("{backend}: a full stdout"));
        twice.lead_to(&[("tcp", 8080, 80)], 0, backend);
        twice.check(0);
    }
}
