//! The iptables layout, as the reference has it; the owners are in [`AddressOwners`].
//!
//! ADD looks (natively with iptables-nft, with one listing else), then writes what is missing with one
//! `iptables-restore` per family. DEL and GC of iptables-nft's rules are one native batch, without a tool; those of
//! legacy rules are one listing and one restore.

use std::net::IpAddr;

use cni_types::{Code, Error, Family, Result};

use super::policy::Policy;
use super::record::AddressOwners;
use super::rules::{ACCEPTS, FORWARD, NeededRule, STAGE_1, accepts, chains, rules};
use super::seen::{FILTER, Seen};
use cni_filter::Filter;
use cni_filter::iptables::{Extension, Meaning, Script, Tool, legacy_holds, list, require, restore};
use cni_filter::nft::{Batch, Chain, Rule, Socket, Table};

/// How often an act that another one got in the way of is started over.
const TRIES: u32 = 10;

/// Makes what is missing; without `accept`, only what isolates. The owner is on record, and the records locked.
pub(super) fn add(filter: &Filter, _records: &AddressOwners, policy: &Policy, accept: bool) -> Result<()> {
    if chains(policy, accept).is_empty() {
        return Ok(());
    }
    for (family, ips) in families(policy) {
        settle(&|| {
            let seen = Seen::look(filter, family, policy.admin.as_str())?;
            let script = addition(&seen, policy, accept, &ips);
            if script.is_empty() { Ok(()) } else { filter.restore(family, &script) }
        })?;
    }
    Ok(())
}

/// What is missing, in words; empty if nothing is.
pub(super) fn missing(filter: &Filter, policy: &Policy, accept: bool) -> Result<Vec<String>> {
    let mut missing = Vec::new();
    if chains(policy, accept).is_empty() {
        return Ok(missing);
    }
    for (family, ips) in families(policy) {
        let seen = Seen::look(filter, family, policy.admin.as_str())?;
        let tool = Tool::command(family);
        for chain in chains(policy, accept).into_iter().filter(|chain| !seen.has_chain(chain)) {
            missing.push(format!("{tool} has no chain {chain} in {FILTER}"));
        }
        for rule in
            rules(policy, accept, &ips).iter().filter(|rule| seen.has_chain(rule.chain) && !seen.has(rule))
        {
            missing.push(format!("{tool} chain {} has no rule {}", rule.chain, rule.words.join(" ")));
        }
        if policy.isolation.is_some() && !seen.late_isolation(false).is_empty() {
            missing.push(format!("{tool} chain {FORWARD} jumps to {ACCEPTS} before {STAGE_1}"));
        }
    }
    Ok(missing)
}

/// Removes the rules of these addresses.
pub(super) fn remove(socket: Option<&Socket>, ips: &[IpAddr]) -> Result<()> {
    let of = |family| -> Vec<NeededRule> {
        let ips = ips.iter().copied().filter(|ip| Family::of(*ip) == family);
        ips.flat_map(accepts).collect()
    };
    let families = Family::ALL.map(|family| (family, of(family)));
    let native = socket.into_iter().map(|socket| remove_native(socket, &families));
    let asked = families.iter().filter(|(_, wanted)| !wanted.is_empty());
    Error::all(native.chain(asked.map(|(family, wanted)| remove_legacy(*family, wanted))))
}

/// One batch for both families: the kernel has a batch wait until the deletes of the one before are through.
fn remove_native(socket: &Socket, families: &[(Family, Vec<NeededRule>)]) -> Result<()> {
    socket.transact(|socket| {
        let mut batch = Batch::new();
        for (family, wanted) in families.iter().filter(|(_, wanted)| !wanted.is_empty()) {
            let chain = Chain { table: Table::iptables(*family, FILTER), name: ACCEPTS };
            for answer in socket.dump(&Rule::list(chain.table, Some(chain.name)))?.iter() {
                let Some(rule) = Rule::read(answer) else { continue };
                if Meaning::of_rule(&rule).is_some_and(|rule| wanted.iter().any(|wanted| wanted.is(&rule))) {
                    batch.push(Rule::remove(chain, rule.handle));
                }
            }
        }
        Ok(batch)
    })
}

fn remove_legacy(family: Family, wanted: &[NeededRule]) -> Result<()> {
    settle(&|| {
        if !legacy_holds(family, FILTER, ACCEPTS) {
            return Ok(());
        }
        let mut script = Script::new(FILTER);
        for line in list(family, true, FILTER)?.rules().filter(|line| line.chain() == ACCEPTS) {
            if wanted.iter().any(|wanted| wanted.is(&line.meaning())) {
                script.command(&line.deletion());
            }
        }
        if script.is_empty() { Ok(()) } else { restore(family, true, &script) }
    })
}

/// Looks and acts; again if the act fails because the table is no longer what was looked at.
fn settle(act: &dyn Fn() -> Result<()>) -> Result<()> {
    for _ in 1..TRIES {
        match act() {
            Err(error) if error.code == Code::FILTER => {}
            outcome => return outcome,
        }
    }
    act()
}

/// What `seen` lacks. A chain is made by a command that fails if somebody else has just made it.
fn addition(seen: &Seen, policy: &Policy, accept: bool, ips: &[IpAddr]) -> Script {
    let mut script = Script::new(FILTER);
    for chain in chains(policy, accept).into_iter().filter(|chain| !seen.has_chain(chain)) {
        script.command(&["-N", chain]);
    }
    let rules = rules(policy, accept, ips);
    let missing = || rules.iter().filter(|rule| !seen.has(rule));
    for rule in missing() {
        let place: &[&str] = if rule.top { &["-I", rule.chain, "1"] } else { &["-A", rule.chain] };
        let words: Vec<&str> = place.iter().copied().chain(rule.words.iter().map(String::as_str)).collect();
        script.command(&words);
    }
    // The accepting chain may have come in front of the isolation, now or by somebody else's hand.
    let late = seen.late_isolation(accept);
    if !late.is_empty() || missing().any(|rule| rule.chain != ACCEPTS) {
        script.share();
    }
    for jump in late {
        let comment = jump.comment().map(|text| ["-m", "comment", "--comment", text]);
        let words = [comment.as_ref().map_or(&[][..], |words| words), &["-j", STAGE_1]].concat();
        script.command(&[&["-D", FORWARD][..], &words].concat());
        script.command(&[&["-I", FORWARD, "1"][..], &words].concat());
    }
    script
}

/// Whether iptables of the family has all that ADD needs. Changes nothing.
pub(super) fn probe(family: Family) -> Result<()> {
    require(family, FILTER, &[Extension::Comment, Extension::Conntrack], "backend")
}

/// The same for the families of the container's addresses.
pub(super) fn status(policy: &Policy) -> Result<()> {
    families(policy).into_iter().try_for_each(|(family, _)| probe(family))
}

/// The families the container has addresses of.
fn families(policy: &Policy) -> Vec<(Family, Vec<IpAddr>)> {
    let of = |family| policy.ips.iter().copied().filter(|ip| Family::of(*ip) == family).collect();
    let all = Family::ALL.map(|family| (family, of(family)));
    all.into_iter().filter(|(_, ips): &(_, Vec<_>)| !ips.is_empty()).collect()
}
