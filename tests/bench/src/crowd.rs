//! What a node is crowded with: things of others, which no plugin has to look at.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

use cni_netlink::attr::Attrs;
use cni_netlink::{Protocol, Request, Socket};

use crate::chain::id;
use crate::place::{Place, sh};

/// The crowds, and how many there are of each.
pub(crate) const ALL: [(&str, usize); 7] = [
    ("empty", 0),
    ("legacy, empty", 0),
    ("iptables-nft rules", 100_000),
    ("legacy, rules", 100_000),
    ("nft elements", 40_000),
    ("links", 2000),
    ("reservations", 60_000),
];
/// Rules that a chain of others has.
const RULES_PER_CHAIN: usize = 200;
/// Between two changes of links.
const BETWEEN_CHANGES: Duration = Duration::from_millis(10);
/// Reserved addresses belong to pods of these numbers and on.
const RESERVED: usize = 100_000;

/// The node without the crowd.
pub(crate) fn without(kind: &str) -> &'static str {
    if is_legacy(kind) { "legacy, empty" } else { "empty" }
}

/// Whether iptables is the legacy one there.
pub(crate) fn is_legacy(kind: &str) -> bool {
    kind.starts_with("legacy")
}

/// Makes the crowd on the host; `reservations` is the directory that host-local keeps them in.
pub(crate) fn make(kind: &str, count: usize, host: &Place, reservations: &Path) {
    host.enter(|| match kind {
        "empty" | "legacy, empty" => {}
        "iptables-nft rules" => rules("iptables-nft-restore", count),
        "legacy, rules" => rules("iptables-legacy-restore", count),
        "nft elements" => elements(count),
        "links" => links(count),
        "reservations" => reserve(count, reservations),
        other => panic!("there is no crowd of {other}"),
    });
}

/// The containers that have the reservations.
pub(crate) fn reserved(count: usize) -> impl Iterator<Item = String> {
    (RESERVED..RESERVED + count).map(id)
}

/// In the tables `nat` and `filter`, as kube-proxy makes them: a chain for each service.
fn rules(restore: &str, count: usize) {
    let mut text = String::new();
    for table in ["nat", "filter"] {
        let chains = (count / 2).div_ceil(RULES_PER_CHAIN);
        writeln!(text, "*{table}").unwrap();
        (0..chains).for_each(|chain| writeln!(text, ":OTHERS-{chain} - [0:0]").unwrap());
        for n in 0..count / 2 {
            let (chain, high, low) = (n / RULES_PER_CHAIN, n / 256 % 256, n % 256);
            writeln!(text, "-A OTHERS-{chain} -d 10.200.{high}.{low}/32 -p tcp -m comment --comment \"service {n}\" -m tcp --dport 80 -j RETURN").unwrap();
        }
        text.push_str("COMMIT\n");
    }
    feed(&format!("{restore} --noflush <"), &text);
}

/// Half of them in a set of a table `inet`, half in a map of a table `ip`.
fn elements(count: usize) {
    let list = |value: &str| -> String {
        let element = |n| format!("10.201.{}.{}{value}", n / 256, n % 256);
        (0..count / 2).map(element).collect::<Vec<_>>().join(", ")
    };
    let text = format!(
        "table inet others {{\nset s {{ type ipv4_addr; elements = {{ {} }}; }}\n}}\n\
         table ip others {{\nmap m {{ type ipv4_addr : ipv4_addr; elements = {{ {} }}; }}\n}}\n",
        list(""),
        list(" : 10.9.9.9")
    );
    feed("nft -f", &text);
}

/// Pairs that are up.
fn links(count: usize) {
    let pair = |n| format!("link add others{n} up type veth peer name srehto{n}\nlink set srehto{n} up\n");
    feed("ip -batch", &(0..count / 2).map(pair).collect::<String>());
}

/// As host-local writes them: a file with the address as its name and the holder inside.
fn reserve(count: usize, directory: &Path) {
    fs::create_dir_all(directory).unwrap();
    for (n, id) in reserved(count).enumerate() {
        let n = n + 2;
        fs::write(directory.join(format!("10.88.{}.{}", n / 256, n % 256)), format!("{id}\r\neth0")).unwrap();
    }
}

/// Runs a command with a file of this text behind it.
fn feed(command: &str, text: &str) {
    fs::write("/run/crowd", text).unwrap();
    sh(&format!("{command} /run/crowd"));
}

/// Changes a link of the host every 10 ms, until `ended`: each comes and goes.
pub(crate) fn change(host: &Place, count: usize, ended: &AtomicBool) {
    host.enter(|| {
        let socket = Socket::open(Protocol::Route).unwrap();
        for n in 0.. {
            if ended.load(Ordering::Relaxed) || count < 2 {
                return;
            }
            let mut header = [0; 16];
            // `struct ifinfomsg`: flags, and which of them are meant
            header[8..12].copy_from_slice(&u32::from(n % 2 != 0).to_ne_bytes());
            header[12..].copy_from_slice(&1_u32.to_ne_bytes());
            let mut link = Attrs::behind(&header);
            link.text(libc::IFLA_IFNAME, &format!("others{}", n / 2 % (count / 2)));
            socket.change(&[Request::new("change a link", libc::RTM_SETLINK, 0, link)]).unwrap();
            sleep(BETWEEN_CHANGES);
        }
    });
}
