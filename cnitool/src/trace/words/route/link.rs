//! Links: `ip link`, `bridge link`, `bridge vlan` (`linux/if_link.h`, `linux/if_bridge.h`).

use cni_netlink::attr::{self, each, find};

use super::said::{Said, mac};
use crate::trace::words::quoted::quoted;

/// Bytes of `struct ifinfomsg`.
const HEADER: usize = 16;
/// `NLM_F_CREATE`
const CREATE: u16 = 0x400;
/// `IFLA_IFALIAS`, `IFLA_AF_SPEC`, `IFLA_PROTINFO`, `IFLA_NET_NS_FD`
const ALIAS: u16 = 20;
const AF_SPEC: u16 = 26;
const PROTINFO: u16 = 12;
const NET_NS_FD: u16 = 28;
/// What a change mask has that `ip link set` has a word for.
const FLAGS: [(u32, &str, &str); 3] = [
    (1, " up", " down"),
    (0x100, " promisc on", " promisc off"),
    (0x200, " allmulticast on", " allmulticast off"),
];

/// `IPV4_DEVCONF_*` (`linux/ip.h`) of those that are set.
const SETTINGS: [(u16, &str); 2] = [(22, "arp_notify"), (26, "route_localnet")];

pub(super) fn words(said: &Said<'_>) -> Option<String> {
    let (kind, index) = (said.message.kind, said.header32(4));
    let named = said.find(HEADER, libc::IFLA_IFNAME).and_then(attr::text);
    let is_bridge = i32::from(said.header8(0)) == libc::AF_BRIDGE;
    let link = || if index == 0 { named.unwrap_or_default().to_owned() } else { said.link(index) };
    match kind {
        libc::RTM_GETLINK if is_bridge => Some("bridge vlan show".to_owned()),
        libc::RTM_GETLINK if said.lists() => Some("ip -d link show".to_owned()),
        libc::RTM_GETLINK => Some(format!("ip -d link show dev {}", link())),
        libc::RTM_NEWLINK if said.message.flags & CREATE != 0 => new(said, named?),
        _ if is_bridge => port(said, &link()),
        libc::RTM_DELLINK => Some(format!("ip link del dev {}", link())),
        _ => {
            let mut words = format!("ip link set dev {}", link());
            if let Some(name) = named.filter(|_| index != 0) {
                words += &format!(" name {name}");
            }
            let attrs = said.message.body.get(HEADER..)?;
            let set = attributes(said, attrs) + &flags(said) + &as_port(attrs);
            if let Some(written) = setting(attrs, &link()) {
                return Some(written);
            }
            (named.is_some() && index != 0 || !set.is_empty()).then(|| words + &set)
        }
    }
}

fn flags(said: &Said<'_>) -> String {
    let (flags, change) = (said.header32(8), said.header32(12));
    let changed = FLAGS.iter().filter(|(bit, ..)| change & bit != 0);
    changed.map(|(bit, on, off)| if flags & bit != 0 { *on } else { *off }).collect()
}

/// The first setting of IPv4 (`IFLA_INET_CONF` of `AF_INET`), for which `ip` has no word but the sysctl has.
fn setting(attrs: &[u8], link: &str) -> Option<String> {
    let conf = find(find(attrs, AF_SPEC)?, 2).and_then(|own| find(own, 1))?;
    let (number, value) = each(conf).next()?;
    let name = SETTINGS.iter().find(|(known, _)| *known == number)?.1;
    let written = format!("echo {} > /proc/sys/net/ipv4/conf/{link}/{name}", attr::host32(value)?);
    Some(format!("sh -c {}", quoted(&written)))
}

/// What a bridge keeps of its port (`IFLA_INFO_SLAVE_DATA`).
fn as_port(attrs: &[u8]) -> String {
    let info = find(attrs, libc::IFLA_LINKINFO).unwrap_or_default();
    let Some(data) = find(info, 5) else { return String::new() };
    " type bridge_slave".to_owned() + &port_flags(data)
}

fn port_flags(data: &[u8]) -> String {
    let words = each(data).map(|(kind, value)| {
        let on = if value == [1] { "on" } else { "off" };
        match kind {
            4 => format!(" hairpin {on}"),
            33 => format!(" isolated {on}"),
            _ => String::new(),
        }
    });
    words.collect()
}

fn attributes(said: &Said<'_>, attrs: &[u8]) -> String {
    let mut words = String::new();
    for (kind, value) in each(attrs) {
        let number = attr::host32(value).unwrap_or_default();
        words += &match kind {
            libc::IFLA_ADDRESS => format!(" address {}", mac(value)),
            libc::IFLA_MTU => format!(" mtu {number}"),
            libc::IFLA_TXQLEN => format!(" txqueuelen {number}"),
            libc::IFLA_LINK => format!(" link {}", said.links.name(false, number)),
            libc::IFLA_MASTER if number == 0 => " nomaster".to_owned(),
            libc::IFLA_MASTER => format!(" master {}", said.link(number)),
            ALIAS => format!(" alias {}", quoted(&String::from_utf8_lossy(value))),
            NET_NS_FD if said.inside => " netns 1".to_owned(),
            NET_NS_FD => " netns \"$NETNS\"".to_owned(),
            _ => String::new(),
        };
    }
    words
}

fn new(said: &Said<'_>, name: &str) -> Option<String> {
    let attrs = said.message.body.get(HEADER..)?;
    let info = find(attrs, libc::IFLA_LINKINFO)?;
    let kind = find(info, libc::IFLA_INFO_KIND).map(|kind| String::from_utf8_lossy(kind).into_owned())?;
    let kind = kind.trim_end_matches('\0');
    let data = find(info, libc::IFLA_INFO_DATA).unwrap_or_default();
    let number = |at: u16| find(data, at).and_then(attr::host32).unwrap_or_default();
    let half = |at: u16| find(data, at).and_then(attr::host16).unwrap_or_default();
    let of_kind = match kind {
        "veth" => {
            let peer = find(data, 1)?.get(HEADER..)?;
            let name = find(peer, libc::IFLA_IFNAME).and_then(attr::text)?;
            format!(" peer name {name}{}", attributes(said, peer))
        }
        "bridge" if find(data, 7) == Some(&[1]) => " vlan_filtering 1".to_owned(),
        "macvlan" => {
            let mode = match number(1) {
                1 => "private",
                2 => "vepa",
                8 => "passthru",
                _ => "bridge",
            };
            format!(" mode {mode}")
        }
        "ipvlan" => format!(" mode {}", ["l2", "l3", "l3s"].get(usize::from(half(1))).unwrap_or(&"l2")),
        "vlan" => format!(" id {}", half(1)),
        "vrf" => format!(" table {}", number(1)),
        _ => String::new(),
    };
    Some(format!("ip link add name {name}{}{} type {kind}{of_kind}", attributes(said, attrs), flags(said)))
}

/// A bridge's port, as a port.
fn port(said: &Said<'_>, link: &str) -> Option<String> {
    if let Some(flags) = said.find(HEADER, PROTINFO) {
        return Some(format!("bridge link set dev {link}{}", port_flags(flags)));
    }
    let verb = if said.message.kind == libc::RTM_DELLINK { "del" } else { "add" };
    let (mut commands, mut begin) = (Vec::new(), None);
    for (_, info) in each(said.find(HEADER, AF_SPEC)?).filter(|(kind, _)| *kind == 2) {
        let (flags, vid) = (attr::host16(info)?, attr::host16(info.get(2..)?)?);
        // BRIDGE_VLAN_INFO_RANGE_BEGIN
        if flags & 8 != 0 {
            begin = Some(vid);
            continue;
        }
        let range = begin.take().map(|first| format!("{first}-")).unwrap_or_default();
        let pvid = if flags & 2 != 0 { " pvid" } else { "" };
        let untagged = if flags & 4 != 0 { " untagged" } else { "" };
        commands.push(format!("bridge vlan {verb} dev {link} vid {range}{vid}{pvid}{untagged}"));
    }
    (!commands.is_empty()).then(|| commands.join("; "))
}
