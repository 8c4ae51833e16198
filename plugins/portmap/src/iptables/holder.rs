//! Who holds a port already: an entry with an overlapping port leads to another chain, which sends the same port of the
//! same address somewhere.

use std::net::IpAddr;

use cni_filter::iptables::Listing;
use cni_filter::nft::{Chain, Rule as NftRule, Socket, Table};
use cni_types::{Cidr, Error, Result, Words, ip_from_octets};

use super::names::{CHAIN, DNAT};
use super::native;
use super::rules::{Does, Rule, Rules};

/// Another chain that has a port.
pub(super) struct Holder {
    pub(super) chain: String,
    /// The container's id, as far as the entry's comment has it.
    pub(super) container_id: String,
    /// What to say if it stays.
    pub(super) error: Error,
}

/// In a table of iptables-nft with these entries: one look at each chain that could be in the way.
pub(super) fn in_kernel(
    socket: &Socket,
    table: Table<'_>,
    entries: &[Vec<u8>],
    rules: &Rules,
) -> Result<Vec<Holder>> {
    let mut holders: Vec<Holder> = Vec::new();
    for entry in entries.iter().filter_map(|answer| NftRule::read(answer)) {
        let Some(chain) = entry.target().filter(|chain| *chain != rules.chain) else { continue };
        let protocol = native::protocol(&entry);
        let ports = ports_of(&entry);
        if !wanted(rules).any(|rule| Some(rule.protocol as u8) == protocol && ports.contains(&rule.port)) {
            continue;
        }
        for answer in socket.dump(&NftRule::list(Chain { table, name: chain }.table, Some(chain)))?.iter() {
            let Some(held) = NftRule::read(answer) else { continue };
            if native::destination(&held).is_none() {
                continue;
            }
            let (protocol, port, ip) = (native::protocol(&held), port_of(&held), address_of(&held));
            let taken = wanted(rules).find(|rule| {
                Some(rule.protocol as u8) == protocol && Some(rule.port) == port && rule.host_ip == ip
            });
            if let Some(rule) = taken.filter(|_| !holders.iter().any(|holder| holder.chain == chain)) {
                holders.push(Holder::new(chain, rule, native::comment(&entry).unwrap_or(chain)));
            }
        }
    }
    Ok(holders)
}

/// In a table that the tool listed.
pub(super) fn in_listing(listing: &Listing, rules: &Rules) -> Vec<Holder> {
    let mut holders: Vec<Holder> = Vec::new();
    for held in listing.rules().filter(|line| line.chain().starts_with(CHAIN) && line.chain() != rules.chain)
    {
        let taken = wanted(rules).find(|rule| {
            held.target() == Some("DNAT")
                && held.option("-p") == Some(rule.protocol.word())
                && held.option("--dport") == Some(&rule.port.to_string())
                && held.network("-d") == rule.host_ip.map(Cidr::host)
        });
        let entry = listing.rules().find(|line| line.chain() == DNAT && line.target() == Some(held.chain()));
        let is_new = !holders.iter().any(|holder| holder.chain == held.chain());
        if let (Some(rule), Some(entry), true) = (taken, entry, is_new) {
            let comment = entry.option("--comment").unwrap_or_default();
            holders.push(Holder::new(held.chain(), rule, comment));
        }
    }
    holders
}

impl Holder {
    fn new(chain: &str, rule: &Rule, comment: &str) -> Self {
        let id = comment.split_once(" id: \"").map_or("", |(_, id)| id);
        let id = id.strip_suffix("...").or_else(|| id.strip_suffix('"')).unwrap_or(id);
        Self { chain: chain.to_owned(), container_id: id.to_owned(), error: taken_by(rule, comment) }
    }
}

fn wanted(rules: &Rules) -> impl Iterator<Item = &Rule> {
    rules.container.iter().filter(|rule| matches!(rule.does, Does::Dnat(_)))
}

/// The ports of a `multiport` match: `struct xt_multiport_v1`, flags, count, ports in host order.
fn ports_of(entry: &NftRule<'_>) -> Vec<u16> {
    let info = entry.expressions().filter_map(|expr| expr.xt_match()).find(|(name, _)| *name == "multiport");
    let Some((_, info)) = info else { return Vec::new() };
    let count = info.get(1).copied().unwrap_or(0);
    let ports = info.get(2..).unwrap_or_default().chunks_exact(2).take(usize::from(count));
    ports.map(|port| u16::from_ne_bytes([port[0], port[1]])).collect()
}

/// The destination port: the comparison of two bytes.
fn port_of(rule: &NftRule<'_>) -> Option<u16> {
    let value = rule.expressions().find_map(|expr| expr.equals().filter(|value| value.len() == 2))?;
    value.try_into().ok().map(u16::from_be_bytes)
}

/// The destination address: 4 bytes at 16 of the IPv4 header, 16 at 24 of the IPv6 header.
fn address_of(rule: &NftRule<'_>) -> Option<IpAddr> {
    let mut loaded = None;
    for expr in rule.expressions() {
        match (loaded, expr.equals()) {
            (Some((1, 16, 4) | (1, 24, 16)), Some(value)) => return ip_from_octets(value),
            _ => loaded = expr.payload(),
        }
    }
    None
}

fn taken_by(rule: &Rule, comment: &str) -> Error {
    let ip = rule.host_ip.map(|ip| format!(" of {ip}")).unwrap_or_default();
    let names = comment.strip_prefix("dnat ").unwrap_or(comment);
    Error::try_again(format!(
        "host port {}/{}{ip} is taken by another container ({names})",
        rule.port,
        rule.protocol.word()
    ))
    .because("remove that container, or give one of them another hostPort or hostIP")
}
