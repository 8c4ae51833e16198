//! The reference's nftables layout: one rule per address in `inet cni_plugins_masquerade masq_checks`. Never made
//! here, but removed and accepted: pods of before an upgrade have it.

use std::net::IpAddr;

use cni_types::{AttachmentId, Cidr, Result};

use crate::nft::{Batch, Chain, Rule, Socket, Table, TableFamily};

const TABLE: Table<'_> = Table { family: TableFamily::Inet, name: "cni_plugins_masquerade" };
const CHECKS: Chain<'_> = Chain { table: TABLE, name: "masq_checks" };

/// Whether each address has its rule.
pub(super) fn is_complete(socket: &Socket, id: &AttachmentId, ips: &[Cidr]) -> Result<bool> {
    let owner = id.tag_prefix();
    let rules = socket.dump(&Rule::list(TABLE, Some(CHECKS.name)))?;
    let has_rule = |cidr: &Cidr| {
        let ip = cidr.ip();
        rules.iter().filter_map(|rule| Rule::read(rule)).any(|rule| {
            rule.comment.is_some_and(|comment| comment.starts_with(&owner))
                && rule.expressions().filter_map(|expr| expr.equals()).any(|value| match ip {
                    IpAddr::V4(ip) => value == ip.octets(),
                    IpAddr::V6(ip) => value == ip.octets(),
                })
        })
    };
    Ok(ips.iter().all(has_rule))
}

/// Removes the rules whose owner satisfies `matches`.
pub(super) fn remove(socket: &Socket, matches: &dyn Fn(&str) -> bool) -> Result<()> {
    socket.transact(|socket| {
        let mut batch = Batch::new();
        for answer in socket.dump(&Rule::list(TABLE, Some(CHECKS.name)))?.iter() {
            let rule = Rule::read(answer).filter(|rule| rule.comment.is_some_and(matches));
            batch.extend(rule.map(|rule| Rule::remove(CHECKS, rule.handle)));
        }
        Ok(batch)
    })
}
