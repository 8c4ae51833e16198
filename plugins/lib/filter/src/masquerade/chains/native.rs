//! The chains of iptables-nft, removed over netlink: its rules are nftables rules, found by the chain they jump to and
//! deleted by their handles in one batch, without a process.

use std::net::IpAddr;

use cni_types::Result;

use super::{POSTROUTING, doomed};
use crate::iptables::Protocol;
use crate::nft::{Batch, Chain, Rule, Socket};

pub(super) fn remove(socket: &Socket, name: &str, hints: &[IpAddr]) -> Result<()> {
    let chains = Protocol::ALL.map(|protocol| Chain { table: protocol.nft_nat(), name });
    socket.transact(|socket| {
        let mut batch = Batch::new();
        let answers = socket.ask(&chains.map(Chain::find))?;
        for (chain, _) in chains.iter().zip(answers).filter(|(_, answer)| answer.is_some()) {
            let rules = socket.dump(&Rule::list(chain.table, Some(POSTROUTING)))?;
            let jumps: Vec<Rule<'_>> = rules
                .iter()
                .filter_map(|rule| Rule::read(rule))
                .filter(|rule| rule.target() == Some(name))
                .collect();
            let going = doomed(&jumps.iter().map(source).collect::<Vec<_>>(), hints);
            let postrouting = Chain { table: chain.table, name: POSTROUTING };
            for (rule, _) in jumps.iter().zip(&going).filter(|(_, going)| **going) {
                batch.push(Rule::remove(postrouting, rule.handle));
            }
            if going.iter().all(|going| *going) {
                batch.push(chain.remove());
            }
        }
        Ok(batch)
    })
}

/// Removes every chain for which `stale(chain, comment)` holds for one of its rules or the jumps to it.
pub(super) fn collect(socket: &Socket, stale: &dyn Fn(&str, &str) -> bool) -> Result<()> {
    socket.transact(|socket| {
        let mut batch = Batch::new();
        for table in Protocol::ALL.map(Protocol::nft_nat) {
            let answers = socket.dump(&Rule::list(table, None))?;
            let rules: Vec<Rule<'_>> = answers.iter().filter_map(|rule| Rule::read(rule)).collect();
            let mut going: Vec<&str> = Vec::new();
            for rule in &rules {
                let chain = if rule.chain == POSTROUTING { rule.target() } else { Some(rule.chain) };
                let (Some(chain), Some(comment)) = (chain, comment(rule)) else { continue };
                if stale(chain, comment) && !going.contains(&chain) {
                    going.push(chain);
                }
            }
            let postrouting = Chain { table, name: POSTROUTING };
            for rule in rules.iter().filter(|rule| rule.chain == POSTROUTING) {
                if rule.target().is_some_and(|target| going.contains(&target)) {
                    batch.push(Rule::remove(postrouting, rule.handle));
                }
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

/// The one source address the rule matches: 4 bytes at 12 of the IPv4 header, 16 at 8 of the IPv6 header.
fn source(rule: &Rule<'_>) -> Option<IpAddr> {
    let mut loaded = None;
    for expr in rule.expressions() {
        match (loaded, expr.equals()) {
            (Some((1, 12, 4)), Some(value)) => return <[u8; 4]>::try_from(value).ok().map(IpAddr::from),
            (Some((1, 8, 16)), Some(value)) => return <[u8; 16]>::try_from(value).ok().map(IpAddr::from),
            _ => loaded = expr.payload(),
        }
    }
    None
}
