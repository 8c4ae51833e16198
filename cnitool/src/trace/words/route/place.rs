//! Addresses, routes, neighbours, rules and queueing disciplines: `ip address`, `ip route`, `ip neighbour`, `ip rule`,
//! `tc qdisc`.

use cni_netlink::attr::{self, each, find};
use cni_types::ip_from_octets;

use super::said::{Said, mac};

/// `AF_INET6`
const INET6: u8 = 10;

fn family(said: &Said<'_>) -> &'static str {
    if said.header8(0) == INET6 { "ip -6" } else { "ip" }
}

/// `struct ifaddrmsg`, 8 bytes.
pub(super) fn address(said: &Said<'_>) -> Option<String> {
    let (link, verb) = (said.link(said.header32(4)), said.verb());
    if verb == "show" {
        let dev = if said.header32(4) == 0 { String::new() } else { format!(" dev {link}") };
        return Some(format!("ip address show{dev}"));
    }
    let find = |kind| said.find(8, kind);
    let own = find(libc::IFA_LOCAL).or_else(|| find(libc::IFA_ADDRESS)).and_then(ip_from_octets)?;
    let mut words = format!("ip address {verb} {own}/{} dev {link}", said.header8(1));
    if let Some(broadcast) = find(libc::IFA_BROADCAST).and_then(ip_from_octets) {
        words += &format!(" broadcast {broadcast}");
    }
    let flags = find(8).and_then(attr::host32).unwrap_or_else(|| said.header8(2).into());
    let named = [(0x02, " nodad"), (0x200, " noprefixroute")];
    words.extend(named.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, word)| *word));
    Some(words)
}

/// `struct rtmsg`, 12 bytes.
pub(super) fn route(said: &Said<'_>) -> Option<String> {
    let find = |kind| said.find(12, kind);
    let number = |kind| find(kind).and_then(attr::host32);
    if said.lists() {
        return Some(format!("{} route show table all", family(said)));
    }
    let to = find(libc::RTA_DST).and_then(ip_from_octets);
    if said.verb() == "show" {
        return Some(format!("ip route get {}", to?));
    }
    // NLM_F_APPEND, NLM_F_CREATE
    let verb = if said.message.flags & 0x800 != 0 { "append" } else { said.verb() };
    let kind = match said.header8(7) {
        6 => "blackhole ",
        7 => "unreachable ",
        8 => "prohibit ",
        9 => "throw ",
        _ => "",
    };
    let to = to.map_or_else(|| "default".to_owned(), |to| format!("{to}/{}", said.header8(1)));
    let mut words = format!("{} route {verb} {kind}{to}", family(said));
    let via = find(18).and_then(|via| ip_from_octets(via.get(2..)?));
    if let Some(gateway) = find(libc::RTA_GATEWAY).and_then(ip_from_octets).or(via) {
        words += &format!(" via {gateway}");
    }
    if let Some(index) = number(libc::RTA_OIF) {
        words += &format!(" dev {}", said.link(index));
    }
    let table = number(libc::RTA_TABLE).unwrap_or_else(|| said.header8(4).into());
    if !matches!(table, 0 | 254) {
        words += &format!(" table {table}");
    }
    // Who made it (`RTPROT_*`): `ip` says boot unless it is told.
    match said.header8(5) {
        2 => words += " proto kernel",
        4 => words += " proto static",
        _ => {}
    }
    match said.header8(6) {
        253 => words += " scope link",
        254 => words += " scope host",
        _ => {}
    }
    if let Some(metric) = number(libc::RTA_PRIORITY) {
        words += &format!(" metric {metric}");
    }
    if let Some(source) = find(libc::RTA_PREFSRC).and_then(ip_from_octets) {
        words += &format!(" src {source}");
    }
    for (kind, value) in each(find(libc::RTA_METRICS).unwrap_or_default()) {
        let name = if kind == 2 { "mtu" } else { "advmss" };
        words += &format!(" {name} {}", attr::host32(value)?);
    }
    // RTNH_F_ONLINK
    words += if said.header32(8) & 4 != 0 { " onlink" } else { "" };
    Some(words)
}

/// `struct ndmsg`, 12 bytes.
pub(super) fn neighbour(said: &Said<'_>) -> Option<String> {
    let link = said.link(said.header32(4));
    let to = said.find(12, libc::NDA_DST).and_then(ip_from_octets)?;
    // NLM_F_REPLACE without NLM_F_CREATE
    let verb = if said.verb() == "replace" { "change" } else { said.verb() };
    let lladdr = said.find(12, libc::NDA_LLADDR).map(|lladdr| format!(" lladdr {}", mac(lladdr)));
    let stale = if said.header8(8) == 4 { " nud stale" } else { "" };
    Some(format!("ip neighbour {verb} {to}{} dev {link}{stale}", lladdr.unwrap_or_default()))
}

/// `struct fib_rule_hdr`, 12 bytes.
pub(super) fn rule(said: &Said<'_>) -> Option<String> {
    let number = |kind| said.find(12, kind).and_then(attr::host32);
    let mut words = format!("{} rule {}", family(said), said.verb());
    if said.verb() == "show" {
        return Some(words);
    }
    for (kind, name, length) in [(2, "from", said.header8(2)), (1, "to", said.header8(1))] {
        if let Some(prefix) = said.find(12, kind).and_then(ip_from_octets) {
            words += &format!(" {name} {prefix}/{length}");
        }
    }
    if let Some(preference) = number(6) {
        words += &format!(" pref {preference}");
    }
    words += &format!(" table {}", number(15).unwrap_or_else(|| said.header8(4).into()));
    if let Some(length) = number(14) {
        words += &format!(" suppress_prefixlength {length}");
    }
    Some(words)
}

/// `struct tcmsg`, 20 bytes.
pub(super) fn qdisc(said: &Said<'_>) -> Option<String> {
    let (link, handle, parent) = (said.link(said.header32(4)), said.header32(8), said.header32(12));
    if said.verb() == "show" {
        return Some("tc qdisc show".to_owned());
    }
    let kind = said.find(20, 1).map(|kind| String::from_utf8_lossy(kind).trim_end_matches('\0').to_owned());
    let place = match parent {
        u32::MAX => " root".to_owned(),
        0xffff_fff1 => {
            return Some(format!("tc qdisc {} dev {link} {}", said.verb(), kind.unwrap_or_default()));
        }
        _ => format!(" parent {:x}:{:x}", parent >> 16, parent & 0xffff),
    };
    let handle = if handle == 0 { String::new() } else { format!(" handle {:x}:", handle >> 16) };
    let kind = kind.map(|kind| format!(" {kind}")).unwrap_or_default();
    let options = said.find(20, 2).and_then(tbf).unwrap_or_default();
    Some(format!("tc qdisc {} dev {link}{place}{handle}{kind}{options}", said.verb()))
}

/// `struct tc_tbf_qopt`: two rates of 12 bytes each, with bytes per second in the last 4; the limit in bytes; the burst in
/// the time that its bytes take, in ticks of 64 ns.
fn tbf(options: &[u8]) -> Option<String> {
    let parms = find(options, 1)?;
    let number = |at: usize| parms.get(at..).and_then(attr::host32).map(u64::from);
    let rate = find(options, 4).and_then(attr::host64).or_else(|| number(8))?;
    let (limit, ticks) = (number(24)?, number(28)?);
    let burst = u128::from(rate) * u128::from(ticks) * 64 / 1_000_000_000;
    Some(format!(" rate {}bit burst {burst}b limit {limit}b", rate * 8))
}
