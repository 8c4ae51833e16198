//! Messages of nf_tables (`linux/netfilter/nf_tables.h`) in the words of `nft`: tables, chains, elements, and what is deleted.
//! Sets and rules are texts that the kernel has only the compiled form of; what they are for is said beside.

use std::net::{Ipv4Addr, Ipv6Addr};

use cni_netlink::attr::{self, each, find};

use super::Message;

/// Bytes of `struct nfgenmsg`.
const HEADER: usize = 4;
const HOOKS: [&str; 5] = ["prerouting", "input", "forward", "output", "postrouting"];

/// `None` for what has no words.
pub(super) fn words(message: &Message<'_>) -> Option<String> {
    let attrs = message.body.get(HEADER..)?;
    let family = match message.body.first()? {
        1 => "inet",
        2 => "ip",
        7 => "bridge",
        10 => "ip6",
        _ => return None,
    };
    let text = |kind| find(attrs, kind).and_then(attr::text);
    // NFNL_SUBSYS_NFTABLES; every kind of object has its table's name first.
    let kind = message.kind.checked_sub(10 << 8)?;
    let table = text(1).map(|table| format!("{family} {table}"));
    match kind {
        0 => Some(format!("nft add table {}", table?)),
        2 => Some(format!("nft delete table {}", table?)),
        3 => Some(format!("nft 'add chain {} {}{}'", table?, text(3)?, hook(attrs).unwrap_or_default())),
        4 => Some(match text(3) {
            Some(chain) => format!("nft list chain {} {chain}", table?),
            None => "nft list chains".to_owned(),
        }),
        5 => Some(format!("nft delete chain {} {}", table?, text(3)?)),
        7 => Some(match text(2) {
            Some(chain) => format!("nft -a list chain {} {chain}", table?),
            None => format!("nft -a list table {}", table?),
        }),
        8 => Some(match find(attrs, 3).and_then(attr::net64) {
            Some(handle) => format!("nft delete rule {} {} handle {handle}", table?, text(2)?),
            None => format!("nft flush chain {} {}", table?, text(2)?),
        }),
        10 => Some(format!("nft list sets table {}", table?)),
        11 => Some(format!("nft delete set {} {}", table?, text(2)?)),
        12 | 14 => {
            let verb = if kind == 12 { "add" } else { "delete" };
            let elements: Option<Vec<_>> =
                each(find(attrs, 3)?).map(|(_, element)| self::element(element)).collect();
            Some(format!("nft '{verb} element {} {} {{ {} }}'", table?, text(2)?, elements?.join(", ")))
        }
        13 => Some(format!("nft list set {} {}", table?, text(2)?)),
        _ => None,
    }
}

fn hook(attrs: &[u8]) -> Option<String> {
    let hook = find(attrs, 4)?;
    let number = find(hook, 1).and_then(attr::net32)? as usize;
    let priority = find(hook, 2).and_then(attr::array).map(i32::from_be_bytes)?;
    let kind = find(attrs, 7).and_then(attr::text)?;
    Some(format!(" {{ type {kind} hook {} priority {priority}; }}", HOOKS.get(number)?))
}

/// One whose key and value are addresses; `None` for others, whose types are the set's.
fn element(attrs: &[u8]) -> Option<String> {
    let key = address(find(find(attrs, 1)?, 1)?)?;
    let comment = find(attrs, 6).and_then(|data| attr::text(data.get(2..)?));
    let comment = comment.map(|comment| format!(" comment \"{comment}\"")).unwrap_or_default();
    if find(attrs, 2).is_some() || find(attrs, 10).is_some() {
        return None;
    }
    Some(format!("{key}{comment}"))
}

fn address(value: &[u8]) -> Option<String> {
    match value.len() {
        4 => attr::array::<4>(value).map(|ip| Ipv4Addr::from(ip).to_string()),
        16 => attr::array::<16>(value).map(|ip| Ipv6Addr::from(ip).to_string()),
        _ => None,
    }
}
