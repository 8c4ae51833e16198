//! `portmap`, with both backends: who reaches a mapped port, told by real packets.

use std::net::UdpSocket;

use cni_tests::published::{From, mapping, tcp, udp, udp_with};
use cni_tests::{Conf, Host, Place, needs};
use serde_json::json;

const BACKENDS: [&str; 2] = ["nftables", "iptables"];
const HOST: [&str; 2] = ["198.51.100.1", "[2001:db8:51::1]"];

fn conf(backend: &str) -> Conf {
    Conf::portmap(backend, &json!([mapping(8080, 80, "tcp"), mapping(5353, 53, "udp")]))
}

#[test]
fn mapped_ports_are_reached_from_everywhere() {
    needs!(Iptables);
    for backend in BACKENDS {
        let host = Host::new();
        let outside = host.outside();
        let other = host.container("other");
        host.attach(&other);
        let (pod, _) = host.publish("pod", &conf(backend));
        let (web, dns) = (pod.listen(80), pod.open(53));
        let from = [From::Container(&outside), From::Host, From::Container(&other), From::Container(&pod)];
        for from in from {
            for ip in HOST {
                let seen = tcp(from, &format!("{ip}:8080"), &web);
                assert!(seen.is_some(), "{backend}: tcp {from:?} {ip}");
                let seen = udp(from, &format!("{ip}:5353"), &dns);
                assert!(seen.is_some(), "{backend}: udp {from:?} {ip}");
            }
        }
        assert!(tcp(From::Host, "127.0.0.1:8080", &web).is_some(), "{backend}");
        assert!(udp(From::Host, "127.0.0.1:5353", &dns).is_some(), "{backend}");
        let outside_is_seen = "198.51.100.2".parse().ok();
        assert_eq!(tcp(From::Container(&outside), "198.51.100.1:8080", &web), outside_is_seen, "{backend}");
    }
}

#[test]
fn masquerade_is_for_the_containers_network_and_localhost_or_for_all_or_none() {
    needs!(Iptables);
    for backend in BACKENDS {
        for (keys, outside_is_seen) in [("", true), ("masqAll", false)] {
            let host = Host::new();
            let outside = host.outside();
            let conf = if keys.is_empty() { conf(backend) } else { conf(backend).set(keys, true) };
            let (pod, _) = host.publish("pod", &conf);
            let web = pod.listen(80);
            let seen = tcp(From::Container(&outside), "198.51.100.1:8080", &web).unwrap().to_string();
            assert_eq!(seen == "198.51.100.2", outside_is_seen, "{backend} {keys}: {seen}");
            let seen = tcp(From::Host, "127.0.0.1:8080", &web).unwrap().to_string();
            assert_eq!(seen, "10.22.0.1", "{backend} {keys}");
        }
        let host = Host::new();
        let outside = host.outside();
        let (pod, _) = host.publish("pod", &conf(backend).set("snat", false));
        let web = pod.listen(80);
        assert!(tcp(From::Container(&outside), "198.51.100.1:8080", &web).is_some());
        assert_eq!(host.sysctl("ipv4/conf/br0/route_localnet"), "0");
        assert_eq!(tcp(From::Container(&pod), "198.51.100.1:8080", &web), None, "{backend}: no hairpin");
    }
}

/// CVE-2025-67499: a packet through this host to another one's port of the same number.
#[test]
fn what_is_sent_through_the_host_to_others_is_not_taken() {
    needs!(Iptables);
    for backend in BACKENDS {
        let host = Host::new();
        let outside = host.outside();
        outside.run("ip route add 10.22.0.0/24 via 198.51.100.1");
        outside.run("ip route add fd00:22::/64 via 2001:db8:51::1");
        let (victim, _) = host.publish("victim", &conf(backend));
        let (web, dns) = (victim.listen(80), victim.open(53));
        let client = host.container("client");
        host.attach(&client);
        let (real, real_dns) = (outside.listen(8080), outside.open(5353));
        for ip in ["198.51.100.2", "[2001:db8:51::2]"] {
            assert!(tcp(From::Container(&client), &format!("{ip}:8080"), &real).is_some(), "{backend} {ip}");
            assert!(
                udp(From::Container(&client), &format!("{ip}:5353"), &real_dns).is_some(),
                "{backend} {ip}"
            );
        }
        drop((web, dns));
    }
}

/// CVE-2019-9946: what others translate more specifically is theirs.
#[test]
fn more_specific_rules_of_others_win() {
    needs!(Iptables);
    for backend in BACKENDS {
        let host = Host::new();
        let outside = host.outside();
        let special = host.container("special");
        host.attach(&special);
        host.run(
            "iptables -t nat -A PREROUTING -s 198.51.100.2 -p tcp --dport 8080 -j DNAT --to 10.22.0.2:81",
        );
        let (pod, conf) = host.publish("pod", &conf(backend));
        host.plugin("portmap").add(&conf, &pod, "eth0").result();
        let (theirs, ours) = (special.listen(81), pod.listen(80));
        assert!(tcp(From::Container(&outside), "198.51.100.1:8080", &theirs).is_some(), "{backend}");
        assert!(tcp(From::Host, "198.51.100.1:8080", &ours).is_some(), "{backend}");
    }
}

/// CVE-2020-8558: `route_localnet` must not open the host's 127.0.0.1 to its neighbours.
#[test]
fn nobody_outside_reaches_what_listens_on_the_hosts_loopback() {
    needs!(Iptables);
    for backend in BACKENDS {
        let host = Host::new();
        let outside = host.outside();
        let (pod, _) = host.publish("pod", &conf(backend));
        assert_eq!(host.sysctl("ipv4/conf/br0/route_localnet"), "1", "{backend}");
        assert_eq!(host.sysctl("ipv4/conf/uplink/route_localnet"), "0", "{backend}");
        let secret = UdpSocket::bind("127.0.0.1:7777").unwrap();
        for (neighbour, gateway) in [(&pod, "10.22.0.1"), (&outside, "198.51.100.1")] {
            let device = if neighbour.id() == "pod" { "eth0" } else { "wan" };
            neighbour.run("ip route flush table local 127.0.0.0/8");
            neighbour.run(&format!("sysctl -qw net.ipv4.conf.{device}.route_localnet=1"));
            neighbour.run("sysctl -qw net.ipv4.conf.all.route_localnet=1");
            neighbour.run(&format!("ip route add 127.0.0.1 via {gateway} dev {device}"));
            // The address is given, so that the packet does leave.
            let own = if neighbour.id() == "pod" { "10.22.0.2:0" } else { "198.51.100.2:0" };
            let client = neighbour.enter(|| UdpSocket::bind(own).unwrap());
            assert_eq!(
                udp_with(&client, "127.0.0.1:7777".parse().unwrap(), &secret),
                None,
                "{backend} {own}"
            );
        }
        // The same packet arrives once the protection is away: the test above can fail.
        host.run("nft flush chain inet cni_portmap localnet");
        let client = pod.enter(|| UdpSocket::bind("10.22.0.2:0").unwrap());
        client.send_to(b"ask", "127.0.0.1:7777").unwrap();
        secret.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
        secret.recv_from(&mut [0; 16]).expect("the packet arrives without the protection");
    }
}

#[test]
fn a_host_ip_limits_a_mapping_and_its_family() {
    needs!(Iptables);
    for backend in BACKENDS {
        let host = Host::new();
        let outside = host.outside();
        host.run("ip address add 198.51.100.9/24 dev uplink");
        let with = |ip: &str, port: u16| json!({ "hostPort": 8080, "containerPort": port, "protocol": "tcp", "hostIP": ip });
        let one = Conf::portmap(backend, &json!([with("198.51.100.1", 80)]));
        let two = Conf::portmap(backend, &json!([with("198.51.100.9", 80), with("::", 81)]));
        let (first, _) = host.publish("first", &one);
        let (second, _) = host.publish("second", &two);
        let (a, b, c) = (first.listen(80), second.listen(80), second.listen(81));
        let from = From::Container(&outside);
        assert!(tcp(from, "198.51.100.1:8080", &a).is_some(), "{backend}");
        assert!(tcp(from, "198.51.100.9:8080", &b).is_some(), "{backend}");
        assert!(tcp(from, "[2001:db8:51::1]:8080", &c).is_some(), "{backend}");
        assert!(tcp(From::Host, "127.0.0.1:8080", &a).is_none(), "{backend}");
        let rules = host.run("ip6tables-save -t nat") + &host.run("nft list ruleset");
        assert!(!rules.contains("[fd00:22::2]") && !rules.contains(": fd00:22::2 "), "{backend}: {rules}");
    }
}

#[test]
fn conditions_belong_to_the_mapping_that_set_them() {
    needs!(Iptables);
    let allowed = |backend| match backend {
        "nftables" => json!(["ip", "saddr", "!=", "198.51.100.2"]),
        _ => json!(["!", "-s", "198.51.100.2"]),
    };
    for backend in BACKENDS {
        let host = Host::new();
        let outside = host.outside();
        let guarded = conf(backend).set("conditionsV4", allowed(backend));
        let (pod, _) = host.publish("pod", &guarded);
        let open = Conf::portmap(backend, &json!([mapping(9090, 90, "tcp")]));
        let (other, _) = host.publish("other", &open);
        let (web, free) = (pod.listen(80), other.listen(90));
        let from = From::Container(&outside);
        assert_eq!(tcp(from, "198.51.100.1:8080", &web), None, "{backend}: the condition holds");
        assert!(tcp(From::Host, "198.51.100.1:8080", &web).is_some(), "{backend}");
        assert!(tcp(from, "[2001:db8:51::1]:8080", &web).is_some(), "{backend}: IPv6 has no condition");
        assert!(tcp(from, "198.51.100.1:9090", &free).is_some(), "{backend}: nor has the other container");
    }
}

#[test]
fn a_range_of_ports_is_one_element() {
    let host = Host::new();
    let outside = host.outside();
    let list: Vec<_> = (10_000..20_000).map(|port| mapping(port, port, "udp")).collect();
    let (pod, _) = host.publish("pod", &Conf::portmap("nftables", &json!(list)));
    let elements = host.nft("map").into_iter().filter_map(|map| Some(map["elem"].as_array()?.len()));
    assert_eq!(elements.collect::<Vec<_>>(), [1, 1], "one for each family");
    for port in [10_000, 15_432, 19_999] {
        let server = pod.open(port);
        assert!(udp(From::Container(&outside), &format!("198.51.100.1:{port}"), &server).is_some());
    }
}

/// ::1 cannot be translated; who asks is refused at once.
#[test]
fn the_ipv6_loopback_refuses() {
    let host = Host::new();
    let (pod, _) = host.publish("pod", &conf("nftables"));
    let _web = pod.listen(80);
    let refused = std::net::TcpStream::connect("[::1]:8080").unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
}

#[test]
fn a_udp_flow_follows_the_mapping() {
    needs!(Iptables);
    for backend in BACKENDS {
        let host = Host::new();
        let outside = host.outside();
        let client = outside.enter(|| UdpSocket::bind("198.51.100.2:4444").unwrap());
        let unrelated = outside.enter(|| UdpSocket::bind("198.51.100.2:4445").unwrap());
        let to = "198.51.100.1:5353".parse().unwrap();
        // Tracking starts with the first rule that needs it; here the host is sent to before any container is.
        host.run("nft add table inet track");
        host.run("nft add chain inet track c { type filter hook prerouting priority 0 ; }");
        host.run("nft add rule inet track c ct state new accept");
        client.send_to(b"x", to).unwrap();
        let keeper = UdpSocket::bind("198.51.100.1:6000").unwrap();
        assert!(udp_with(&unrelated, "198.51.100.1:6000".parse().unwrap(), &keeper).is_some());
        let (old, conf) = host.publish("old", &conf(backend));
        let first = old.open(53);
        assert!(udp_with(&client, to, &first).is_some(), "{backend}: to the first container");
        host.plugin("portmap")
            .del(&conf.clone().remove("runtimeConfig").remove("prevResult"), &old, "eth0")
            .done();
        let listener = UdpSocket::bind("198.51.100.1:5353").unwrap();
        assert!(udp_with(&client, to, &listener).is_some(), "{backend}: to the host itself");
        drop(listener);
        let (new, _) = host.publish("new", &conf.remove("prevResult"));
        let second = new.open(53);
        assert!(udp_with(&client, to, &second).is_some(), "{backend}: to the second container");
        let flows = host.run("conntrack -L -p udp");
        assert!(flows.contains("dport=6000"), "{backend}: unrelated flows stay: {flows}");
    }
}
