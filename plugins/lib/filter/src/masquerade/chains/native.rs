//! The chains of iptables-nft, removed over netlink: its rules are nftables rules, found by the chain they jump to and
//! deleted by their handles in one batch, without a process.

use cni_types::{Family, Ordered, Result};

use super::names::POSTROUTING;
use super::seen::SeenRule;
use super::share::Share;
use crate::nft::{Batch, Chain, ChainState, Rule, Socket, Table};

pub(super) fn remove(socket: &Socket, name: &str, share: &Share) -> Result<()> {
    let chains = Family::ALL.map(|family| Chain { table: Table::iptables(family, "nat"), name });
    socket.transact(|socket| {
        let mut batch = Batch::new();
        let answers = socket.ask(&chains.map(Chain::find))?;
        for (chain, _) in chains.iter().zip(answers).filter(|(_, answer)| answer.is_some()) {
            take_out(socket, *chain, share, &mut batch)?;
        }
        Ok(batch)
    })
}

fn take_out(socket: &Socket, chain: Chain<'_>, share: &Share, batch: &mut Batch) -> Result<()> {
    let mut found = Vec::new();
    for name in [POSTROUTING, chain.name] {
        for answer in socket.dump(&Rule::list(chain.table, Some(name)))?.iter() {
            let Some(rule) = Rule::read(answer) else { continue };
            let place = Rule::remove(Chain { table: chain.table, name }, rule.handle);
            found.extend(SeenRule::of_rule(&rule, chain.name).map(|entry| (entry, place)));
        }
    }
    let (entries, removals): (Vec<_>, Vec<_>) = found.into_iter().unzip();
    let going = share.going(&entries);
    let removals = removals.into_iter().zip(&entries).zip(&going.entries);
    // The chain takes its own rules along.
    batch.extend(
        removals
            .filter(|((_, entry), goes)| **goes && (entry.is_jump || !going.chain))
            .map(|((removal, _), _)| removal),
    );
    if going.chain {
        batch.push(chain.remove());
    }
    Ok(())
}

/// Removes every chain that is a `candidate` and for which `stale(comment)` holds for one of its rules. Foreign rules
/// are not listed: what they cost the kernel grows with the square of their number.
pub(super) fn collect(
    socket: &Socket,
    candidate: &dyn Fn(&str) -> bool,
    stale: &dyn Fn(&str) -> bool,
) -> Result<()> {
    socket.transact(|socket| {
        let mut batch = Batch::new();
        for table in Family::ALL.map(|family| Table::iptables(family, "nat")) {
            let mut found: Vec<String> = Vec::new();
            for answer in socket.dump(&Chain::list(table))?.iter() {
                let state = ChainState::read(answer).filter(|_| Chain::in_table(answer, table));
                let Some(state) = state.filter(|state| candidate(&state.name)) else { continue };
                let rules = socket.dump(&Rule::list(table, Some(&state.name)))?;
                if rules.iter().filter_map(|rule| comment(&Rule::read(rule)?)).any(stale) {
                    found.push(state.name);
                }
            }
            let going: Ordered = found.into_iter().collect();
            if going.is_empty() {
                continue;
            }
            let postrouting = Chain { table, name: POSTROUTING };
            for answer in socket.dump(&Rule::list(table, Some(POSTROUTING)))?.iter() {
                let rule = Rule::read(answer);
                let rule = rule.filter(|rule| rule.target().is_some_and(|to| going.has(to)));
                batch.extend(rule.map(|rule| Rule::remove(postrouting, rule.handle)));
            }
            batch.extend(going.iter().map(|name| Chain { table, name }.remove()));
        }
        Ok(batch)
    })
}

/// The comment, where this or a later iptables puts it.
fn comment<'a>(rule: &Rule<'a>) -> Option<&'a str> {
    rule.expressions().find_map(|expr| expr.xt_comment()).or(rule.comment)
}
