//! The reference's nftables layout: one rule per address in `inet cni_plugins_masquerade masq_checks`. Never made
//! here, but removed and accepted: pods of before an upgrade have it.

use std::net::IpAddr;

use cni_types::{AttachmentId, Cidr, NetworkName, Result, Stale};

use crate::nft::{Batch, Chain, Rule, Socket, Table, TableFamily};

const TABLE: Table<'_> = Table { family: TableFamily::Inet, name: "cni_plugins_masquerade" };
const CHECKS: Chain<'_> = Chain { table: TABLE, name: "masq_checks" };

/// Removes the attachment's rules.
pub(super) fn remove(socket: &Socket, id: &AttachmentId) -> Result<()> {
    let owner = id.tag_prefix();
    sweep(socket, &|comment| comment.starts_with(&owner))
}

/// Removes the rules of the network's attachments that are not in `valid`.
pub(super) fn collect(socket: &Socket, network: &NetworkName, valid: &[AttachmentId]) -> Result<()> {
    let stale = Stale::new(network, valid);
    sweep(socket, &|comment| stale.includes(comment))
}

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

fn sweep(socket: &Socket, stale: &dyn Fn(&str) -> bool) -> Result<()> {
    socket.transact(|socket| {
        let mut batch = Batch::new();
        for answer in socket.dump(&Rule::list(TABLE, Some(CHECKS.name)))? {
            let rule = Rule::read(&answer).filter(|rule| rule.comment.is_some_and(stale));
            batch.extend(rule.map(|rule| Rule::remove(CHECKS, rule.handle)));
        }
        Ok(batch)
    })
}
