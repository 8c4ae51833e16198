//! The kernel floor: a plugin that does what the kernel has to do for the scenarios bridge-gw and bridge-masq-nftables
//! and nothing else. It checks
//! nothing and takes nothing back, so it is a bound and no competitor. The same executable is the plugin and, under the
//! name
//! `host-local` beside it, its IPAM plugin; where that is missing the address is reserved in the one process.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::net::Ipv4Addr;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use cni_netlink::attr::{Attrs, find, host32};
use cni_netlink::{CREATE, EXCL, Protocol, Request, Socket};
use nix::fcntl::{Flock, FlockArg};
use nix::sched::{CloneFlags, setns};
use serde_json::{Value, json};

const BRIDGE: &str = "bench0";
/// `NFNL_SUBSYS_NFTABLES`, `NFT_MSG_NEWSETELEM`, `NFT_MSG_DELSETELEM`
const NFTABLES: u16 = 10;
const NEW: u16 = 12;
const DELETE: u16 = 14;
const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 88, 0, 1);

fn main() {
    let mut input = Vec::new();
    std::io::stdin().read_to_end(&mut input).unwrap();
    let conf: Value = serde_json::from_slice(&input).unwrap();
    let own = env::args().next().unwrap();
    let verb = env::var("CNI_COMMAND").unwrap();
    let directory = format!("/var/lib/cni/networks/{}", conf["name"].as_str().unwrap());
    let id = env::var("CNI_CONTAINERID").unwrap();
    if own.ends_with("host-local") {
        return print!("{}", json!({ "address": reserve(&directory, &id, &verb) }));
    }
    let ipam = Path::new(&own).with_file_name("host-local");
    let address = if ipam.exists() { delegate(&ipam, &input) } else { reserve(&directory, &id, &verb) };
    let host = Socket::open(Protocol::Route).unwrap();
    // Kept until the end: closing it after a delete waits for the kernel.
    let filter = (conf["ipMasq"] == true).then(|| Socket::open(Protocol::Nftables).unwrap());
    // FNV-1a: other identities, other names.
    let hash = id.bytes().fold(0x811c_9dc5_u32, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193));
    let port = format!("veth{hash:08x}");
    if verb == "ADD" {
        let result = attach(&host, filter.is_some(), &port, address.unwrap());
        if let Some(filter) = &filter {
            filter.commit(NFTABLES, &[element(NEW, address.unwrap())], None).unwrap();
        }
        print!("{result}");
    } else {
        if let (Some(filter), Some(address)) = (&filter, address) {
            let _ = filter.commit(NFTABLES, &[element(DELETE, address)], None);
        }
        let mut body = link(0, 0);
        body.text(libc::IFLA_IFNAME, &port);
        let _ = host.change(&[request(libc::RTM_DELLINK, 0, body)]);
    }
}

/// The next free address after the last, a file with its name; DEL finds it by a file with the container's.
fn reserve(directory: &str, id: &str, verb: &str) -> Option<Ipv4Addr> {
    fs::create_dir_all(directory).unwrap();
    let lock = File::create(format!("{directory}/lock")).unwrap();
    let _lock = Flock::lock(lock, FlockArg::LockExclusive).unwrap();
    let (own, last) = (format!("{directory}/.{id}"), format!("{directory}/last"));
    if verb != "ADD" {
        let address = fs::read_to_string(&own).ok()?;
        let _ = fs::remove_file(format!("{directory}/{address}"));
        let _ = fs::remove_file(&own);
        return address.parse().ok();
    }
    let mut next: u32 =
        fs::read_to_string(&last).ok().and_then(|text| text.parse().ok()).unwrap_or(GATEWAY).into();
    loop {
        next += 1;
        let address = Ipv4Addr::from(next);
        let made = OpenOptions::new().write(true).create_new(true).open(format!("{directory}/{address}"));
        let Ok(mut file) = made else { continue };
        file.write_all(id.as_bytes()).unwrap();
        fs::write(&last, address.to_string()).unwrap();
        fs::write(&own, address.to_string()).unwrap();
        return Some(address);
    }
}

fn delegate(ipam: &Path, input: &[u8]) -> Option<Ipv4Addr> {
    let mut child = Command::new(ipam).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let said = child.wait_with_output().unwrap().stdout;
    let answer: Value = serde_json::from_slice(&said).unwrap();
    answer["address"].as_str().map(|address| address.parse().unwrap())
}

fn attach(host: &Socket, masquerades: bool, port: &str, address: Ipv4Addr) -> Value {
    let netns = env::var("CNI_NETNS").unwrap();
    let file = File::open(&netns).unwrap();
    let bridge = index(host, BRIDGE).unwrap_or_else(|| {
        if masquerades {
            make_table();
        }
        make_bridge(host)
    });
    host.change(&[request(libc::RTM_NEWLINK, CREATE | EXCL, pair(port, bridge, &file))]).unwrap();
    setns(&file, CloneFlags::CLONE_NEWNET).unwrap();
    let inside = Socket::open(Protocol::Route).unwrap();
    let eth0 = index(&inside, "eth0").unwrap();
    let mut route = Attrs::behind(&[2, 0, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0]);
    route.bytes(libc::RTA_GATEWAY, &GATEWAY.octets());
    route.host32(libc::RTA_OIF, eth0);
    let requests = [
        request(libc::RTM_NEWADDR, CREATE | EXCL, address_of(eth0, address)),
        request(libc::RTM_SETLINK, 0, link(eth0, 1)),
        request(libc::RTM_NEWROUTE, CREATE | EXCL, route),
    ];
    inside.change(&requests).unwrap();
    while state(host, port) != Some(6) {
        sleep(Duration::from_micros(50));
    }
    json!({
        "cniVersion": "1.0.0",
        "interfaces": [{ "name": BRIDGE }, { "name": port }, { "name": "eth0", "sandbox": netns }],
        "ips": [{ "address": format!("{address}/16"), "gateway": GATEWAY, "interface": 2 }],
        "routes": [{ "dst": "0.0.0.0/0" }]
    })
}

/// The masquerade of whoever is in a set.
fn make_table() {
    let text = "table inet bench {\nset pods { type ipv4_addr; }\nchain out { type nat hook postrouting priority srcnat; \
        ip saddr @pods ip daddr != 10.88.0.0/16 masquerade; }\n}\n";
    let mut child = Command::new("nft").args(["-f", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

/// A message about an element of the set.
fn element(kind: u16, address: Ipv4Addr) -> Request {
    // `struct nfgenmsg`: `NFPROTO_INET`
    let mut body = Attrs::behind(&[1, 0, 0, 0]);
    // `NFTA_SET_ELEM_LIST_TABLE`, `…_SET`, `…_ELEMENTS`
    body.text(1, "bench");
    body.text(2, "pods");
    body.nest(3, |list| {
        // `NFTA_LIST_ELEM`, `NFTA_SET_ELEM_KEY`, `NFTA_DATA_VALUE`
        list.nest(1, |element| element.nest(1, |key| key.bytes(1, &address.octets())));
    });
    let flags = if kind == NEW { CREATE } else { 0 };
    Request::new("do the kernel's work", NFTABLES << 8 | kind, flags, body)
}

fn make_bridge(host: &Socket) -> u32 {
    let mut body = link(0, 1);
    body.text(libc::IFLA_IFNAME, BRIDGE);
    body.nest(libc::IFLA_LINKINFO, |info| info.bytes(libc::IFLA_INFO_KIND, b"bridge"));
    let _ = host.change(&[request(libc::RTM_NEWLINK, CREATE | EXCL, body)]);
    let bridge = index(host, BRIDGE).unwrap();
    let _ = host.change(&[request(libc::RTM_NEWADDR, CREATE | EXCL, address_of(bridge, GATEWAY))]);
    bridge
}

fn pair(port: &str, bridge: u32, netns: &File) -> Attrs {
    let mut body = link(0, 1);
    body.text(libc::IFLA_IFNAME, port);
    body.host32(libc::IFLA_MASTER, bridge);
    body.nest(libc::IFLA_LINKINFO, |info| {
        info.bytes(libc::IFLA_INFO_KIND, b"veth");
        info.nest(libc::IFLA_INFO_DATA, |data| {
            // `VETH_INFO_PEER` (`linux/veth.h`)
            data.nest(1, |peer| {
                peer.raw(&[0; 16]);
                peer.text(libc::IFLA_IFNAME, "eth0");
                peer.host32(libc::IFLA_NET_NS_FD, u32::try_from(netns.as_raw_fd()).unwrap());
            });
        });
    });
    body
}

/// `struct ifinfomsg`, with `IFF_UP` in flags and mask.
fn link(index: u32, up: u32) -> Attrs {
    let mut header = [0; 16];
    for (at, number) in [(4, index), (8, up), (12, up)] {
        header[at..at + 4].copy_from_slice(&number.to_ne_bytes());
    }
    Attrs::behind(&header)
}

/// `struct ifaddrmsg` of an IPv4 address in a /16.
fn address_of(index: u32, address: Ipv4Addr) -> Attrs {
    let mut header = [2, 16, 0, 0, 0, 0, 0, 0];
    header[4..].copy_from_slice(&index.to_ne_bytes());
    let mut body = Attrs::behind(&header);
    body.bytes(libc::IFA_LOCAL, &address.octets());
    body.bytes(libc::IFA_ADDRESS, &address.octets());
    body
}

fn request(kind: u16, flags: u16, attrs: Attrs) -> Request {
    Request::new("do the kernel's work", kind, flags, attrs)
}

fn look(socket: &Socket, name: &str) -> Option<Vec<u8>> {
    let mut body = link(0, 0);
    body.text(libc::IFLA_IFNAME, name);
    socket.look_up(&request(libc::RTM_GETLINK, 0, body)).ok()?.pop()
}

fn index(socket: &Socket, name: &str) -> Option<u32> {
    look(socket, name).and_then(|found| host32(&found[4..]))
}

fn state(socket: &Socket, name: &str) -> Option<u8> {
    look(socket, name).and_then(|found| find(&found[16..], libc::IFLA_OPERSTATE).map(|state| state[0]))
}
