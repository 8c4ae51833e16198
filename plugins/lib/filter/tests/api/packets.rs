//! Masquerade seen from the outside: real packets from a pod to another pod of its network and to a host beyond.

use std::fs::File;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::Duration;

use crate::host::{attachment, cidr, enter, run};
use cni_filter::Filter;
use cni_filter::masquerade::{Backend, add, remove};

/// A network namespace that lives as long as this value.
struct Namespace(File);

impl Namespace {
    fn new() -> Self {
        let open = || {
            // SAFETY: no pointers; changes this short-lived thread only.
            assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWNET) }, 0);
            std::fs::write("/proc/sys/net/ipv6/conf/default/accept_dad", "0").unwrap();
            Self(File::open("/proc/thread-self/ns/net").unwrap())
        };
        std::thread::spawn(open).join().unwrap()
    }

    fn inside<T: Send>(&self, act: impl FnOnce() -> T + Send) -> T {
        let fd = self.0.as_raw_fd();
        let enter = move || {
            // SAFETY: `fd` is open while `self` is borrowed; changes this short-lived thread only.
            assert_eq!(unsafe { libc::setns(fd, libc::CLONE_NEWNET) }, 0);
            act()
        };
        std::thread::scope(|scope| scope.spawn(enter).join().unwrap())
    }

    /// A veth pair between here (`name`, with `gateways`) and this namespace (`eth0`, with `ips`).
    fn connect(&self, name: &str, gateways: [&str; 2], ips: [&str; 2]) {
        let path = format!("/proc/{}/fd/{}", std::process::id(), self.0.as_raw_fd());
        run("ip", &["link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", &path]);
        let up = |device: &str, own: [&str; 2], peers: [&str; 2]| {
            run("ip", &["link", "set", device, "up"]);
            for (own, peer) in own.into_iter().zip(peers) {
                run("ip", &["addr", "add", own, "dev", device, "nodad"]);
                run("ip", &["route", "add", peer, "dev", device]);
            }
        };
        up(name, gateways, ips);
        self.inside(|| {
            up("eth0", ips, gateways);
            for gateway in gateways {
                run("ip", &["route", "add", "default", "via", gateway]);
            }
        });
    }
}

/// The source address `to` sees of a datagram that `from` sends to it.
fn seen(from: &Namespace, to: &Namespace, ip: &str) -> IpAddr {
    let ip: IpAddr = ip.parse().unwrap();
    let receiver = to.inside(|| UdpSocket::bind((ip, 0)).unwrap());
    receiver.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let target: SocketAddr = receiver.local_addr().unwrap();
    from.inside(|| {
        let any = if ip.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        UdpSocket::bind(any).unwrap().send_to(b"x", target).unwrap();
    });
    receiver.recv_from(&mut [0; 8]).unwrap().1.ip()
}

fn masquerades(backend: Backend) {
    if !enter(&["ip", "iptables-restore"]) {
        return;
    }
    for (name, value) in
        [("ipv4/ip_forward", "1"), ("ipv6/conf/all/forwarding", "1"), ("ipv6/conf/default/accept_dad", "0")]
    {
        std::fs::write(format!("/proc/sys/net/{name}"), value).unwrap();
    }
    let (pod, neighbour, outside) = (Namespace::new(), Namespace::new(), Namespace::new());
    pod.connect("pod", ["10.1.0.1", "fd00::1"], ["10.1.0.5", "fd00::5"]);
    neighbour.connect("neighbour", ["10.1.0.2", "fd00::2"], ["10.1.9.6", "fd00::6"]);
    outside.connect("outside", ["192.0.2.1", "2001:db8::1"], ["192.0.2.2", "2001:db8::2"]);
    let plain = ["10.1.0.5", "fd00::5"].map(|ip| ip.parse::<IpAddr>().unwrap());
    let host = ["192.0.2.1", "2001:db8::1"].map(|ip| ip.parse::<IpAddr>().unwrap());
    let to_neighbour = || ["10.1.9.6", "fd00::6"].map(|ip| seen(&pod, &neighbour, ip));
    let to_outside = || ["192.0.2.2", "2001:db8::2"].map(|ip| seen(&pod, &outside, ip));
    let filter = Filter::new();
    let id = attachment("net", "c1", "eth0");
    assert_eq!(to_outside(), plain, "before");
    add(&filter, backend, &id, &[cidr("10.1.0.5/16"), cidr("fd00::5/64")]).unwrap();
    assert_eq!(to_neighbour(), plain, "its own network");
    assert_eq!(to_outside(), host, "beyond");
    let others = ["192.0.2.2", "2001:db8::2"].map(|ip| seen(&neighbour, &outside, ip));
    assert_eq!(others, ["10.1.9.6", "fd00::6"].map(|ip| ip.parse::<IpAddr>().unwrap()), "not its pod");
    remove(&filter, &id, &[]).unwrap();
    assert_eq!(to_outside(), plain, "after");
}

#[test]
fn nftables_masquerades_what_leaves_the_network() {
    masquerades(Backend::Nftables);
}

#[test]
fn iptables_masquerades_what_leaves_the_network() {
    masquerades(Backend::Iptables);
}
