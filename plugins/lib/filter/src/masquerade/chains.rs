//! The iptables layout, as the reference has it: a chain per network and container in `nat`, named by their hash, and
//! a jump to it per address. Both of a container's attachments to one network share the chain.
//!
//! ```text
//! -A POSTROUTING -s <ip> -j CNI-<24 hex> -m comment --comment 'name: "<network>" id: "<container id>"'
//! -A CNI-<24 hex> -d <ip>/<prefix> -j ACCEPT …
//! -A CNI-<24 hex> ! -d 224.0.0.0/4 -j MASQUERADE …
//! ```
//!
//! ADD is one `iptables-restore` per family. DEL and GC of iptables-nft's rules are one native batch, without a tool;
//! those of legacy rules are one listing and one restore.

mod legacy;
mod native;

use std::net::IpAddr;

use cni_types::{AttachmentId, Cidr, Error, NetworkName, Result, network_tag_prefix};

use crate::Filter;
use crate::iptables::{Listing, Protocol, Script, list, nat_holds, restore};
use crate::nft::{Chain, Socket};

/// Longest xtables comment in bytes (`XT_MAX_COMMENT_LEN` − 1, `xt_comment.h`).
const COMMENT_MAX: usize = 255;
/// The chain all jumps are in.
const POSTROUTING: &str = "POSTROUTING";

/// The chain of a container in a network.
fn chain_name(id: &AttachmentId) -> String {
    format!("CNI-{}", id.container_hash(24))
}

/// Whether a chain can be one of [`chain_name`]'s.
fn is_chain_name(name: &str) -> bool {
    name.strip_prefix("CNI-").is_some_and(|hash| {
        hash.len() == 24 && hash.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

/// What every comment of a network starts with: the reference's form and the one for long names.
fn comment_starts(network: &NetworkName) -> [String; 2] {
    [format!("name: \"{network}\" id: \""), format!("net: {} id: ", network_tag_prefix(network))]
}

/// The reference's comment; where its text does not fit, one with hashes.
fn comment(id: &AttachmentId) -> String {
    let [start, short] = comment_starts(&id.network);
    let full = format!("{start}{}\"", id.container_id);
    if full.len() <= COMMENT_MAX { full } else { format!("{short}{}", id.container_hash(24)) }
}

/// Makes what is missing.
pub(super) fn add(filter: &Filter, id: &AttachmentId, ips: &[Cidr]) -> Result<()> {
    let chain = chain_name(id);
    for protocol in Protocol::ALL {
        let ips = of_protocol(ips, protocol);
        if ips.is_empty() {
            continue;
        }
        let listing = if exists(filter, protocol, &chain)? {
            list(protocol, false, "nat")?
        } else {
            Listing::default()
        };
        let script = addition(protocol, &chain, &comment(id), &ips, &listing);
        if !script.is_empty() {
            restore(protocol, false, &script)?;
        }
    }
    Ok(())
}

/// Removes the container's chain and the jumps to it. If `hints` name some of the jumps but not all, the others are
/// another attachment's of the same container to the same network, and stay with the chain.
pub(super) fn remove(
    socket: Option<&Socket>,
    id: &AttachmentId,
    hints: &[IpAddr],
    failures: &mut Vec<Error>,
) {
    let chain = chain_name(id);
    failures.extend(socket.and_then(|socket| native::remove(socket, &chain, hints).err()));
    for protocol in Protocol::ALL {
        failures.extend(legacy::remove(protocol, &chain, hints).err());
    }
}

/// Removes the chains of the network's containers that have no attachment in `valid`.
pub(super) fn collect(
    socket: Option<&Socket>,
    network: &NetworkName,
    valid: &[AttachmentId],
    failures: &mut Vec<Error>,
) {
    let starts = comment_starts(network);
    let valid: Vec<String> = valid.iter().map(chain_name).collect();
    let stale = |chain: &str, comment: &str| {
        is_chain_name(chain)
            && starts.iter().any(|start| comment.starts_with(start))
            && !valid.iter().any(|name| name == chain)
    };
    failures.extend(socket.and_then(|socket| native::collect(socket, &stale).err()));
    for protocol in Protocol::ALL {
        failures.extend(legacy::collect(protocol, &starts, &stale).err());
    }
}

/// What is missing for these addresses, in words; empty if nothing is.
pub(super) fn missing(id: &AttachmentId, ips: &[Cidr]) -> Result<Vec<String>> {
    let chain = chain_name(id);
    let mut missing = Vec::new();
    for protocol in Protocol::ALL {
        let ips = of_protocol(ips, protocol);
        if ips.is_empty() {
            continue;
        }
        let listing = list(protocol, false, "nat")?;
        let tool = protocol.tool();
        if !listing.has_chain(&chain) {
            missing.push(format!("{tool} has no chain {chain} in nat"));
            continue;
        }
        if !has_masquerade(&listing, &chain) {
            missing.push(format!("{tool} chain {chain} has no MASQUERADE rule"));
        }
        for ip in ips {
            if !has_accept(&listing, &chain, ip) {
                missing.push(format!("{tool} chain {chain} has no ACCEPT rule for {}", ip.masked()));
            }
            if !has_jump(&listing, &chain, ip) {
                missing.push(format!("{tool} nat POSTROUTING has no jump to {chain} for {}", ip.ip()));
            }
        }
    }
    Ok(missing)
}

/// A script that probes everything ADD would write.
pub(super) fn trial() -> Script {
    let mut script = Script::new("nat");
    script.chain("CNI-000000000000000000000000");
    let rest = ["-j", "MASQUERADE", "-m", "comment", "--comment", "name: \"a\" id: \"b\""];
    script.command(&[&["-A", "CNI-000000000000000000000000"][..], &rest].concat());
    script
}

/// Whether the chain is there, asked without a tool.
fn exists(filter: &Filter, protocol: Protocol, chain: &str) -> Result<bool> {
    if let Some(socket) = filter.nftables_if_present()? {
        let request = Chain { table: protocol.nft_nat(), name: chain }.find();
        if socket.ask(&[request])?.iter().any(Option::is_some) {
            return Ok(true);
        }
    }
    Ok(nat_holds(protocol, chain))
}

fn of_protocol(ips: &[Cidr], protocol: Protocol) -> Vec<Cidr> {
    let mut of_protocol: Vec<Cidr> = Vec::new();
    for ip in ips {
        if ip.is_ipv4() == (protocol == Protocol::V4) && !of_protocol.contains(ip) {
            of_protocol.push(*ip);
        }
    }
    of_protocol
}

fn has_jump(listing: &Listing, chain: &str, ip: Cidr) -> bool {
    listing.rules().any(|rule| {
        rule.chain() == POSTROUTING
            && rule.target() == Some(chain)
            && rule.network("-s") == Some(Cidr::host(ip.ip()))
    })
}

fn has_accept(listing: &Listing, chain: &str, ip: Cidr) -> bool {
    let network = (ip.prefix() > 0).then(|| ip.masked());
    listing
        .rules()
        .any(|rule| rule.chain() == chain && rule.target() == Some("ACCEPT") && rule.network("-d") == network)
}

fn has_masquerade(listing: &Listing, chain: &str) -> bool {
    listing.rules().any(|rule| rule.chain() == chain && rule.target() == Some("MASQUERADE"))
}

/// What `listing` lacks. An ACCEPT behind the MASQUERADE would have no effect, so all of them come before it.
fn addition(protocol: Protocol, chain: &str, comment: &str, ips: &[Cidr], listing: &Listing) -> Script {
    let mark = ["-m", "comment", "--comment", comment];
    let multicast = if protocol == Protocol::V4 { "224.0.0.0/4" } else { "ff00::/8" };
    let mut script = Script::new("nat");
    if !listing.has_chain(chain) {
        script.chain(chain);
    }
    let masqueraded = has_masquerade(listing, chain);
    for ip in ips.iter().filter(|ip| !has_accept(listing, chain, **ip)) {
        let place = if masqueraded { "-I" } else { "-A" };
        script.command(&[&[place, chain, "-d", &ip.to_string(), "-j", "ACCEPT"][..], &mark].concat());
    }
    if !masqueraded {
        script.command(&[&["-A", chain, "!", "-d", multicast, "-j", "MASQUERADE"][..], &mark].concat());
    }
    for ip in ips.iter().filter(|ip| !has_jump(listing, chain, **ip)) {
        script.command(&[&["-A", POSTROUTING, "-s", &ip.ip().to_string(), "-j", chain][..], &mark].concat());
    }
    script
}

/// Which of the jumps, told by their sources, go when the attachment with the addresses `hints` goes. All of them go
/// unless some are named by `hints` and some are not. A jump whose source is not one address (`None`) always goes.
fn doomed(sources: &[Option<IpAddr>], hints: &[IpAddr]) -> Vec<bool> {
    let named = |source: &Option<IpAddr>| source.is_none_or(|ip| hints.contains(&ip));
    let some_named = sources.iter().flatten().any(|ip| hints.contains(ip));
    sources.iter().map(|source| !some_named || named(source)).collect()
}
