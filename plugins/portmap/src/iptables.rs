//! The iptables backend: the reference's chains and rules in `nat`, per family.
//!
//! ```text
//! -A PREROUTING, OUTPUT   -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
//! -A CNI-HOSTPORT-DNAT    -m comment --comment 'dnat name: "<network>" id: "<id>"' -m multiport -p tcp
//!                         --destination-ports 80,443 [conditions] -j CNI-DN-<21 hex>
//! -A CNI-DN-<21 hex>      -p tcp --dport 80 -s <container's network> -j CNI-HOSTPORT-SETMARK
//!                         -p tcp --dport 80 -j DNAT --to-destination <container>:8080
//! -I POSTROUTING          -m comment … -j CNI-HOSTPORT-MASQ      masquerades what has the mark
//! ```
//!
//! ADD is one `iptables-restore --noflush` per family, after at most one `iptables-save`; with iptables-nft the kernel
//! itself tells what is there, and DEL and GC are one native batch.

mod going;
mod holder;
mod kernel;
mod legacy;
mod look;
mod names;
mod native;
mod rules;
mod script;
mod status;

use cni_filter::Filter;
use cni_filter::iptables::{Script, Tool};
use cni_filter::nft::Socket;
use cni_types::{AttachmentId, Cidr, Code, Error, Failures, Family, Result, Stale};

use crate::claim::{Claimant, Claims};
use crate::conf::Conf;
use crate::flows::Gone;
use crate::taken::Taken;
use look::Look;
use names::CHAIN;
use rules::{Rules, families};
pub(crate) use status::{lacking, status};

/// How often an ADD starts over when another one changed the table in between.
const TRIES: u32 = 20;

/// Makes the mappings.
///
/// # Errors
/// Code 11 naming the holder of a taken port or of the lock, else code 101 with what the tool says.
pub(crate) fn add(
    filter: &Filter,
    claimant: &Claimant<'_>,
    conf: &Conf,
    targets: &[Option<Cidr>; 2],
) -> Result<Taken> {
    let mut made = Taken::default();
    let chain = claimant.claims.chain(claimant.id);
    for (family, target) in families(targets) {
        let rules = Rules::new(claimant.id, conf, target, &chain);
        if !rules.is_empty() {
            made.extend(add_family(filter, family, &rules, claimant)?);
        }
    }
    Ok(made)
}

fn add_family(filter: &Filter, family: Family, rules: &Rules, claimant: &Claimant<'_>) -> Result<Taken> {
    let tool = Tool::find(family, "restore", false)?;
    let mut before: Option<String> = None;
    for _ in 0..TRIES {
        let look = Look::take(filter, family, tool.variant(), rules, claimant)?;
        let script = look.addition(rules);
        let made = Taken { gone: look.going.gone, yielded: look.going.yielded };
        if script.is_empty() {
            return Ok(made);
        }
        let text = script.text()?;
        match filter.restore(family, &script) {
            Ok(()) => return Ok(made),
            // Another ADD made the shared chains first: there is less to do now.
            Err(error) if error.code == Code::FILTER && before.as_ref() != Some(&text) => before = Some(text),
            Err(error) => return Err(error),
        }
    }
    Err(Error::try_again(format!("the nat table of {} kept changing", Tool::command(family))))
}

/// Removes chains that end with these hashes, with the rules that lead to them, and returns where they led.
pub(crate) fn remove(
    socket: Option<&Socket>,
    families: &[Family],
    hashes: &[String],
    failures: &mut Failures,
) -> Vec<Gone> {
    let mut gone = Vec::new();
    if hashes.is_empty() {
        return gone;
    }
    let chains: Vec<String> =
        hashes.iter().flat_map(|hash| [format!("{CHAIN}{hash}"), format!("CNI-SN-{hash}")]).collect();
    if let Some(socket) = socket {
        gone.extend(failures.note(native::remove(socket, families, &chains)).into_iter().flatten());
    }
    for family in families {
        gone.extend(failures.note(legacy::remove(*family, &chains)).into_iter().flatten());
    }
    gone
}

/// Removes the rules of the network's containers that have no valid attachment.
pub(crate) fn collect(
    socket: Option<&Socket>,
    stale: &Stale<'_>,
    claims: &Claims,
    failures: &mut Failures,
) -> Vec<Gone> {
    let mut gone = Vec::new();
    let start = rules::comment_start(stale.network);
    let valid = claims.valid_chains(stale);
    let stale = |chain: &str, comment: &str| {
        let hash = chain.strip_prefix(CHAIN);
        hash.is_some_and(|hash| !valid.has(hash)) && comment.starts_with(&start)
    };
    if let Some(socket) = socket {
        gone.extend(failures.note(native::collect(socket, &stale)).into_iter().flatten());
    }
    for family in Family::ALL {
        gone.extend(failures.note(legacy::collect(family, &start, &stale)).into_iter().flatten());
    }
    gone
}

/// What is missing of the mappings, in words; empty if nothing is.
///
/// # Errors
/// Code 101 when a tool is missing or fails.
pub(crate) fn missing(
    filter: &Filter,
    id: &AttachmentId,
    conf: &Conf,
    targets: &[Option<Cidr>; 2],
    claims: &Claims,
) -> Result<Vec<String>> {
    let mut missing = Vec::new();
    for (family, target) in families(targets) {
        let rules = Rules::new(id, conf, target, &claims.chain(id));
        if rules.is_empty() {
            continue;
        }
        if filter.find_chain(family, "nat", &rules.chain)?.is_none() {
            missing.push(format!("{} lacks chain {} in nat", Tool::command(family), rules.chain));
            continue;
        }
        let script = Look::of_listing(&*filter.list(family, "nat")?, &rules).missing(&rules);
        let lines = script.text()?;
        let lines = lines.lines().filter(|line| line.starts_with('-'));
        missing.extend(lines.map(|line| format!("{} lacks {line} in nat", Tool::command(family))));
    }
    Ok(missing)
}

/// The protection of 127.0.0.0/8 where there is no nftables: a rule in `raw`.
///
/// # Errors
/// Code 101 when a tool is missing or fails.
pub(crate) fn ensure_localnet(filter: &Filter) -> Result<()> {
    let script = localnet_script(filter)?;
    if script.is_empty() { Ok(()) } else { filter.restore(Family::V4, &script) }
}

/// Whether it is there.
///
/// # Errors
/// Code 101 when a tool is missing or fails.
pub(crate) fn has_localnet(filter: &Filter) -> Result<bool> {
    Ok(localnet_script(filter)?.is_empty())
}

fn localnet_script(filter: &Filter) -> Result<Script> {
    let listing = filter.list(Family::V4, "raw")?;
    let mut script = Script::new("raw");
    for option in ["-d", "-s"] {
        let words = ["!", "-i", "lo", option, "127.0.0.0/8", "-j", "DROP"];
        if !listing.does("PREROUTING", &words) {
            script.command(&[&["-A", "PREROUTING"][..], &words].concat());
        }
    }
    script.share();
    Ok(script)
}
