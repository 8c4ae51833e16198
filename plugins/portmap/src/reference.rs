//! The reference's nftables layout: rules in `ip cni_hostport` and `ip6 cni_hostport` whose comment is the container's
//! id. Never made here, but removed and accepted: containers of before an upgrade have it.

use cni_filter::nft::{Batch, Chain, Rule, Socket, Table, TableFamily};
use cni_types::{ContainerId, Result};

const TABLES: [Table<'_>; 2] = [
    Table { family: TableFamily::Ipv4, name: "cni_hostport" },
    Table { family: TableFamily::Ipv6, name: "cni_hostport" },
];
/// Releases before 1.9 had mappings with a hostIP in a chain of their own.
const CHAINS: [&str; 3] = ["hostports", "hostip_hostports", "masquerading"];

/// Removes the container's rules.
///
/// # Errors
/// Code 101 when the kernel refuses.
pub(crate) fn remove(socket: &Socket, id: &ContainerId) -> Result<()> {
    socket.transact(|socket| {
        let mut batch = Batch::new();
        for table in TABLES {
            for answer in socket.dump(&Rule::list(table, None))?.iter() {
                let rule = Rule::read(answer).filter(|rule| rule.comment == Some(id.as_str()));
                let rule = rule.filter(|rule| CHAINS.contains(&rule.chain));
                batch.extend(rule.map(|rule| Rule::remove(Chain { table, name: rule.chain }, rule.handle)));
            }
        }
        Ok(batch)
    })
}

/// Whether there are at least this many mappings of the container, IPv4 and IPv6.
///
/// # Errors
/// Code 101 when the kernel refuses to say.
pub(crate) fn is_complete(socket: &Socket, id: &ContainerId, wanted: [usize; 2]) -> Result<bool> {
    for (table, wanted) in TABLES.into_iter().zip(wanted) {
        let answers = socket.dump(&Rule::list(table, None))?;
        let rules = answers.iter().filter_map(|answer| Rule::read(answer));
        let ours =
            rules.filter(|rule| rule.comment == Some(id.as_str()) && CHAINS[..2].contains(&rule.chain));
        if ours.count() < wanted {
            return Ok(false);
        }
    }
    Ok(true)
}
