//! `portmap`: containers that died without a DEL, addresses that have a new owner, and ADDs that were killed and made
//! again with other addresses. Mappings of the dead give way; those of the living do not.

use std::fs::File;
use std::net::IpAddr;

use cni_tests::published::{From, mapping};
use cni_tests::{Conf, Container, Host, Place, arrives_at, needs};
use serde_json::{Value, json};

const BACKENDS: [&str; 2] = ["nftables", "iptables"];
const HOST: [&str; 2] = ["198.51.100.1", "[2001:db8:51::1]"];

fn ports(backend: &str, port: u16) -> Conf {
    Conf::portmap(backend, &json!([mapping(port, 80, "tcp"), mapping(port, 53, "udp")]))
}

/// The result of an attachment with these addresses.
fn result(addresses: &[&str]) -> Value {
    let ips: Vec<_> = addresses.iter().map(|address| json!({ "address": address })).collect();
    json!({ "cniVersion": "1.0.0", "ips": ips })
}

/// The lines of the ruleset that lead to this address, or come from it.
fn leading_to(host: &Host, ip: &str) -> Vec<String> {
    let lines: Vec<String> = host.snapshot().lines_with(ip).into_iter().map(str::to_owned).collect();
    lines.into_iter().filter(|l| l.starts_with("nft ") || l.contains("tables-save ")).collect()
}

fn add(host: &Host, conf: &Conf, pod: &Container) {
    host.plugin("portmap").add(conf, pod, "eth0").result();
}

/// A container that lives has both of the host's families lead to it.
fn reached(outside: &Container, pod: &Container, port: u16, when: &str) {
    for (ip, index) in HOST.iter().zip([0, 1]) {
        let expected: IpAddr = pod.addresses("eth0")[index].split('/').next().unwrap().parse().unwrap();
        let from = From::Container(outside);
        assert_eq!(arrives_at(from, &format!("{ip}:{port}"), "tcp", pod, 80), expected, "{when} {ip}:{port}");
    }
}

/// Dies without a DEL, its addresses given to the next: the bridge's host-local gives the same again.
fn die(host: &Host, pod: &Container) {
    let bridge = Conf::dual_stack_bridge().set("isDefaultGateway", true);
    host.plugin("bridge").del(&bridge, pod, "eth0").done();
    pod.remove_netns();
    // As if it were the pool's whole turn later.
    host.sh("rm -f /var/lib/cni/networks/net/last_reserved_ip.*");
}

#[test]
fn a_successor_with_the_same_address_or_another_port_takes_the_address_over() {
    needs!(Iptables);
    for backend in BACKENDS {
        // What the dead one had, and what its successor asks for.
        for (old, new) in [(8080, 8080), (8080, 9090)] {
            for snat in [true, false] {
                let host = Host::new();
                let outside = host.outside();
                let conf = |port| ports(backend, port).set("snat", snat);
                let (dead, _) = host.publish("dead", &conf(old));
                let address = dead.addresses("eth0");
                die(&host, &dead);
                let (pod, _) = host.publish("pod", &conf(new));
                assert_eq!(pod.addresses("eth0"), address);
                let when = format!("{backend}, {old} then {new}, snat {snat}");
                reached(&outside, &pod, new, &when);
                if old != new {
                    let rules: String = host.run("nft list ruleset") + &host.run("iptables-save -t nat");
                    assert!(!rules.contains(&old.to_string()), "{when}: {rules}");
                }
                host.plugin("portmap").del(&conf(new), &pod, "eth0").done();
                for ip in ["10.22.0.2", "fd00:22::2"] {
                    assert_eq!(leading_to(&host, ip), [""; 0], "{when}");
                }
            }
        }
    }
}

/// Whoever has the address by now, of whatever network, in whatever layout.
#[test]
fn what_led_to_a_recycled_address_in_another_layout_or_network_goes_too() {
    needs!(Iptables);
    for (old, new) in [("nftables", "iptables"), ("iptables", "nftables")] {
        let host = Host::new();
        let outside = host.outside();
        let (dead, _) = host.publish("dead", &ports(old, 8080).set("name", "other"));
        die(&host, &dead);
        let (pod, _) = host.publish("pod", &ports(new, 9090));
        reached(&outside, &pod, 9090, new);
        let rules = host.run("nft list ruleset");
        assert!(!rules.contains("8080"), "{old}, {new}: {rules}");
    }
}

/// What becomes of a container's namespace.
type Death = fn(&Host, &Container);

#[test]
fn a_holder_whose_namespace_is_gone_yields() {
    needs!(Iptables);
    let deaths: [(&str, Death); 3] = [
        ("removed", |_, dead| dead.remove_netns()),
        ("unmounted", |_, dead| dead.unmount_netns()),
        ("another namespace has its path", |host, dead| {
            dead.remove_netns();
            host.container(dead.id());
        }),
    ];
    for backend in BACKENDS {
        for (how, death) in deaths {
            let host = Host::new();
            let outside = host.outside();
            let (dead, _) = host.publish("dead", &ports(backend, 8080));
            death(&host, &dead);
            let (pod, conf) = host.publish("pod", &ports(backend, 8080));
            assert_ne!(pod.addresses("eth0")[0], "10.22.0.2/24");
            reached(&outside, &pod, 8080, &format!("{backend}, {how}"));
            host.plugin("portmap").check(&conf, &pod, "eth0").done();
            for ip in ["10.22.0.2", "fd00:22::2"] {
                assert_eq!(leading_to(&host, &format!("{ip} ")), [""; 0], "{backend}, {how}");
                assert_eq!(leading_to(&host, &format!("{ip}:")), [""; 0], "{backend}, {how}");
            }
        }
    }
}

/// What cannot be looked at is not gone.
#[test]
fn a_holder_whose_namespace_cannot_be_looked_at_keeps_its_port() {
    needs!(Iptables);
    for backend in BACKENDS {
        let host = Host::new();
        let (holder, _) = host.publish("holder", &ports(backend, 8080));
        let second = host.container("second");
        let conf = ports(backend, 8080).prev(&host.attach(&second));
        let refused = |wrapper: &[&str], when: &str| {
            let call = host.plugin("portmap").under(wrapper);
            let error = call.add(&conf, &second, "eth0").error();
            assert_eq!(error.code, 11, "{backend}, {when}: {error:?}");
            error.says(11, &["8080/tcp", "holder"]);
        };
        refused(&["env"], "alive");
        // The process holds the namespace open while its file is gone from this view alone.
        let open = File::open(holder.netns()).unwrap();
        let elsewhere = "mount -t tmpfs none /run/netns; touch /run/netns/second; exec \"$0\"";
        refused(&["unshare", "-m", "sh", "-c", elsewhere], "another mount namespace without the directory");
        let unmounted = "umount /run/netns/holder; exec \"$0\"";
        refused(&["unshare", "-m", "sh", "-c", unmounted], "another mount namespace without the mount");
        drop(open);
        let denied = "inject=openat:error=EACCES";
        let strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-P", "/run/netns/holder", "-e", denied];
        refused(&strace, "no permission");
    }
}

/// Another mount namespace that shows the same directory can tell that the file is gone from it.
#[test]
fn a_process_in_another_mount_namespace_can_tell_that_the_namespace_is_gone() {
    needs!(Iptables);
    for backend in BACKENDS {
        let host = Host::new();
        let (dead, _) = host.publish("dead", &ports(backend, 8080));
        dead.remove_netns();
        let pod = host.container("pod");
        let conf = ports(backend, 8080).prev(&host.attach(&pod));
        let call = host.plugin("portmap").under(&["unshare", "-m"]);
        call.add(&conf, &pod, "eth0").result();
    }
}

/// ADD, the plugin or its runtime is killed, ADD with another address: the first one's state goes with the second's.
#[test]
fn del_after_an_add_with_another_address_leaves_nothing_of_the_first() {
    needs!(Iptables);
    let (both, other) = (["10.22.0.7/24", "fd00:22::7/64"], ["10.44.0.9/16", "fd00:44::9/48"]);
    for backend in BACKENDS {
        let changes: [(&str, Conf, &[&str]); 5] = [
            ("another address", ports(backend, 8080), &other),
            ("one family less", ports(backend, 8080), &other[..1]),
            ("another port", ports(backend, 9090), &both),
            ("another port and address", ports(backend, 9090), &other),
            ("without snat", ports(backend, 8080).set("snat", false), &other),
        ];
        for (what, conf, addresses) in changes {
            for with_result in [true, false] {
                let host = Host::new();
                let pod = host.container("pod");
                let first = ports(backend, 8080).prev(&result(&both));
                let second = conf.clone().prev(&result(addresses));
                for conf in [&first, &second] {
                    add(&host, conf, &pod);
                    host.plugin("portmap").del(conf, &pod, "eth0").done();
                }
                let before = host.snapshot();
                add(&host, &first, &pod);
                add(&host, &second, &pod);
                host.plugin("portmap").check(&second, &pod, "eth0").done();
                let stale = both.map(|ip| ip.split('/').next().unwrap());
                for ip in stale.iter().filter(|_| addresses != both) {
                    assert_eq!(leading_to(&host, ip), [""; 0], "{backend}, {what}");
                }
                let del = if with_result { second } else { second.remove("prevResult") };
                host.plugin("portmap").del(&del, &pod, "eth0").done();
                host.snapshot().assert_same_as(&before, &format!("{backend}, {what}, DEL"));
            }
        }
    }
}
