//! The iptables layout, as the reference has it: a chain per network and container in `nat`, named by their hash, and
//! a jump to it per address. Both of a container's attachments to one network share the chain; whose an address is, is
//! on record ([`Given`]).
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
mod names;
mod native;
mod seen;
mod share;

use std::net::IpAddr;

use cni_types::{AttachmentId, Cidr, Failures, Family, Ordered, Result, Stale};

use crate::Filter;
use crate::given::Given;
use crate::iptables::{Extension, Script, Tool, require};
use crate::nft::Socket;
use names::{POSTROUTING, chain_name, comment, comment_starts, is_chain_name, multicast};
use seen::Seen;
use share::Share;

/// Makes what is missing.
pub(super) fn add(filter: &Filter, id: &AttachmentId, ips: &[Cidr]) -> Result<()> {
    let chain = chain_name(id);
    for family in Family::ALL {
        let ips = of_family(ips, family);
        if ips.is_empty() {
            continue;
        }
        let seen = Seen::look(filter, family, &chain)?;
        let script = addition(family, &chain, &comment(id), &ips, &seen);
        if !script.is_empty() {
            filter.restore(family, &script)?;
        }
    }
    Ok(())
}

/// Removes the attachment's share of the container's chain and of the jumps to it, and the chain with the last of them.
pub(super) fn remove(
    socket: Option<&Socket>,
    given: &Given,
    id: &AttachmentId,
    hints: &[IpAddr],
    failures: &mut Failures,
) {
    if let Some(share) = failures.note(Share::of(given, id, hints)) {
        remove_share(socket, &chain_name(id), &share, failures);
    }
}

fn remove_share(socket: Option<&Socket>, chain: &str, share: &Share, failures: &mut Failures) {
    if let Some(socket) = socket {
        failures.note(native::remove(socket, chain, share));
    }
    for family in Family::ALL {
        failures.note(legacy::remove(family, chain, share));
    }
}

/// Removes the chains of the network's containers that have no valid attachment, and of those that have one the
/// share of the stale ones on record.
pub(super) fn collect(socket: Option<&Socket>, given: &Given, stale: &Stale<'_>, failures: &mut Failures) {
    let starts = comment_starts(stale.network);
    let valid: Ordered = stale.valid.iter().map(chain_name).collect();
    let owners = failures.note(given.all()).unwrap_or_default();
    // What other networks have on record need not be looked at.
    let (ours, others): (Vec<_>, Vec<_>) = owners.iter().partition(|owner| owner.is_of(stale.network));
    let foreign: Ordered = others.iter().map(|owner| format!("CNI-{}", owner.container())).collect();
    let candidate =
        |chain: &str| is_chain_name(chain) && ![&valid, &foreign].iter().any(|names| names.has(chain));
    let is_stale = |comment: &str| starts.iter().any(|start| comment.starts_with(start));
    if let Some(socket) = socket {
        failures.note(native::collect(socket, &candidate, &is_stale));
    }
    for family in Family::ALL {
        failures.note(legacy::collect(family, &starts, &candidate, &is_stale));
    }
    for owner in ours.into_iter().filter(|owner| owner.is_in(stale)) {
        let chain = format!("CNI-{}", owner.container());
        if valid.has(&chain) {
            if let Some(ips) = failures.note(given.of(owner)) {
                remove_share(socket, &chain, &Share::only(ips), failures);
            }
        }
    }
}

/// What is missing for these addresses, in words; empty if nothing is.
pub(super) fn missing(filter: &Filter, id: &AttachmentId, ips: &[Cidr]) -> Result<Vec<String>> {
    let chain = chain_name(id);
    let mut missing = Vec::new();
    for family in Family::ALL {
        let ips = of_family(ips, family);
        if ips.is_empty() {
            continue;
        }
        let seen = Seen::look(filter, family, &chain)?;
        let tool = Tool::command(family);
        if !seen.chain {
            missing.push(format!("{tool} has no chain {chain} in nat"));
            continue;
        }
        if !seen.has_masquerade(family) {
            missing.push(format!("{tool} chain {chain} has no MASQUERADE rule"));
        }
        for ip in ips {
            if !seen.has_accept(ip) {
                missing.push(format!("{tool} chain {chain} has no ACCEPT rule for {}", ip.masked()));
            }
            if !seen.has_jump(&chain, ip) {
                missing.push(format!("{tool} nat POSTROUTING has no jump to {chain} for {}", ip.ip()));
            }
        }
    }
    Ok(missing)
}

/// Whether iptables of the family has all that ADD needs. Changes nothing.
pub(super) fn probe(family: Family) -> Result<()> {
    require(family, "nat", &[Extension::Comment, Extension::Masquerade], "ipMasqBackend")
}

/// The same for the families of these addresses.
pub(super) fn status(ips: &[Cidr]) -> Result<()> {
    let families = Family::ALL.into_iter().filter(|&family| !of_family(ips, family).is_empty());
    families.into_iter().try_for_each(probe)
}

fn of_family(ips: &[Cidr], family: Family) -> Vec<Cidr> {
    let mut of_family: Vec<Cidr> = Vec::new();
    for ip in ips {
        if ip.family() == family && !of_family.contains(ip) {
            of_family.push(*ip);
        }
    }
    of_family
}

/// What the table lacks. An ACCEPT behind the MASQUERADE would have no effect, so all of them come before it.
fn addition(family: Family, chain: &str, comment: &str, ips: &[Cidr], seen: &Seen) -> Script {
    let mark = ["-m", "comment", "--comment", comment];
    let mut script = Script::new("nat");
    if !seen.chain {
        script.chain(chain);
    }
    let masqueraded = seen.has_masquerade(family);
    for ip in ips.iter().filter(|ip| !seen.has_accept(**ip)) {
        let place = if masqueraded { "-I" } else { "-A" };
        script.command(&[&[place, chain, "-d", &ip.to_string(), "-j", "ACCEPT"][..], &mark].concat());
    }
    if !masqueraded {
        let all = ["-A", chain, "!", "-d", multicast(family), "-j", "MASQUERADE"];
        script.command(&[&all[..], &mark].concat());
    }
    for ip in ips.iter().filter(|ip| !seen.has_jump(chain, **ip)) {
        script.command(&[&["-A", POSTROUTING, "-s", &ip.ip().to_string(), "-j", chain][..], &mark].concat());
    }
    script
}
