//! The rules of iptables-nft, removed over netlink: nftables rules, found by the chain they jump to and deleted by
//! their handles in one batch, without a process.

use std::net::{IpAddr, SocketAddr};

use cni_filter::nft::{Batch, Chain, Rule, Socket, Table};
use cni_types::{Family, Ordered, Result};

use super::names::{DNAT, SNAT};
use crate::flows::Gone;

/// Removes these chains and the rules that lead to them.
pub(super) fn remove(socket: &Socket, families: &[Family], chains: &[String]) -> Result<Vec<Gone>> {
    let mut gone = Vec::new();
    socket.transact(|socket| {
        gone.clear();
        let mut batch = Batch::new();
        for family in families {
            let table = Table::iptables(*family, "nat");
            let find: Vec<_> = chains.iter().map(|name| Chain { table, name }.find()).collect();
            let found = socket.ask(&find)?;
            let there = chains.iter().zip(found).filter(|(_, found)| found.is_some());
            let there = there.map(|(name, _)| name.clone());
            let (old, new): (Vec<_>, Vec<_>) = there.partition(|name| name.starts_with("CNI-SN-"));
            erase(socket, &mut batch, table, DNAT, &new.into_iter().collect(), &mut gone)?;
            erase(socket, &mut batch, table, SNAT, &old.into_iter().collect(), &mut gone)?;
        }
        Ok(batch)
    })?;
    Ok(gone)
}

/// Removes every chain for which `stale(chain, comment)` holds for one of the rules that lead to it.
pub(super) fn collect(socket: &Socket, stale: &dyn Fn(&str, &str) -> bool) -> Result<Vec<Gone>> {
    let mut gone = Vec::new();
    socket.transact(|socket| {
        gone.clear();
        let mut batch = Batch::new();
        for family in Family::ALL {
            let table = Table::iptables(family, "nat");
            let answers = socket.dump(&Rule::list(table, Some(DNAT)))?;
            let stale_chain = |rule: Rule<'_>| {
                let (chain, comment) = rule.target().zip(comment(&rule))?;
                stale(chain, comment).then(|| chain.to_owned())
            };
            let going: Ordered =
                answers.iter().filter_map(|answer| Rule::read(answer)).filter_map(stale_chain).collect();
            erase(socket, &mut batch, table, DNAT, &going, &mut gone)?;
        }
        Ok(batch)
    })?;
    Ok(gone)
}

fn erase(
    socket: &Socket,
    batch: &mut Batch,
    table: Table<'_>,
    from: &str,
    going: &Ordered,
    gone: &mut Vec<Gone>,
) -> Result<()> {
    if going.is_empty() {
        return Ok(());
    }
    for answer in socket.dump(&Rule::list(table, Some(from)))?.iter() {
        let rule = Rule::read(answer).filter(|rule| rule.target().is_some_and(|target| going.has(target)));
        batch.extend(rule.map(|rule| Rule::remove(Chain { table, name: from }, rule.handle)));
    }
    for name in going.iter() {
        let answers = socket.dump(&Rule::list(table, Some(name)))?;
        let rules = answers.iter().filter_map(|answer| Rule::read(answer));
        gone.extend(rules.filter_map(|rule| {
            let to = destination(&rule)?;
            Some(Gone { protocol: protocol(&rule)?, ip: to.ip(), first: to.port(), last: to.port() })
        }));
        batch.push(Chain { table, name }.remove());
    }
    Ok(())
}

/// The comment, where this or a later iptables puts it.
pub(super) fn comment<'a>(rule: &Rule<'a>) -> Option<&'a str> {
    rule.expressions().find_map(|expr| expr.xt_comment()).or(rule.comment)
}

/// The transport protocol the rule matches: the one comparison of a single byte.
pub(super) fn protocol(rule: &Rule<'_>) -> Option<u8> {
    rule.expressions()
        .find_map(|expr| expr.equals().and_then(|value| <[u8; 1]>::try_from(value).ok()))
        .map(|[n]| n)
}

/// Where a DNAT rule leads: `struct nf_nat_range2` (`linux/netfilter/nf_nat.h`), flags, lowest and highest address,
/// lowest and highest port.
pub(super) fn destination(rule: &Rule<'_>) -> Option<SocketAddr> {
    let ("DNAT", info) = rule.expressions().find_map(|expr| expr.xt_target())? else { return None };
    let address: [u8; 16] = info.get(4..20)?.try_into().ok()?;
    let port = u16::from_be_bytes(info.get(36..38)?.try_into().ok()?);
    let ip = if address[4..] == [0; 12] {
        IpAddr::from([address[0], address[1], address[2], address[3]])
    } else {
        IpAddr::from(address)
    };
    Some(SocketAddr::new(ip, port))
}
