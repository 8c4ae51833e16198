//! Our messages in the words of `nft`: what a trace keeps of them, for people and to be said again by hand.

mod element;
mod rule;
mod set;

use cni_netlink::attr::{self, find};

use super::chain;
use super::comment::comment;
use super::lookup::{number, text};
use super::message::{self, TableFamily};

/// The command that `nft` takes for a message: its type, and what is behind the netlink header. `declared` gives the
/// declaration of a set by its name, as in a [`super::Layout`]: an element alone does not say what its bytes are. `None`
/// for what has no words.
pub fn words(kind: u16, body: &[u8], declared: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let attrs = message::attrs(body);
    let family = TableFamily::find(*body.first()?)?;
    // Every kind of object has its table's name first.
    let table = text(attrs, 1).map(|table| format!("{} {table}", family.name()));
    let named = |kind| Some(format!("{} {}", table.as_ref()?, text(attrs, kind)?));
    match kind.checked_sub(message::SUBSYSTEM << 8)? {
        message::NEWTABLE => Some(format!("add table {}", table?)),
        message::DELTABLE => Some(format!("delete table {}", table?)),
        message::NEWCHAIN => Some(format!("add chain {}{}", named(3)?, chain_block(attrs)?)),
        message::GETCHAIN => {
            Some(named(3).map_or_else(|| "list chains".to_owned(), |chain| format!("list chain {chain}")))
        }
        message::DELCHAIN => Some(format!("delete chain {}", named(3)?)),
        message::NEWRULE => Some(format!("add rule {} {}", named(2)?, rule::words(attrs)?)),
        message::GETRULE => named(2)
            .map(|chain| format!("list chain {chain}"))
            .or_else(|| Some(format!("list table {}", table.as_ref()?))),
        message::DELRULE => Some(match find(attrs, 3).and_then(attr::net64) {
            Some(handle) => format!("delete rule {} handle {handle}", named(2)?),
            None => format!("flush chain {}", named(2)?),
        }),
        message::NEWSET => set::words(attrs, &named(2)?),
        message::GETSET => Some(format!("list sets table {}", table?)),
        message::DELSET => Some(format!("delete set {}", named(2)?)),
        message::NEWSETELEM => Some(format!("add element {} {}", named(2)?, element::list(attrs, declared)?)),
        message::DELSETELEM => {
            Some(format!("delete element {} {}", named(2)?, element::list(attrs, declared)?))
        }
        message::GETSETELEM if find(attrs, 3).is_none() => Some(format!("list set {}", named(2)?)),
        message::GETSETELEM => Some(format!("get element {} {}", named(2)?, element::list(attrs, declared)?)),
        _ => None,
    }
}

/// What is between a new chain's braces, with them; empty for nothing.
fn chain_block(attrs: &[u8]) -> Option<String> {
    let hook = match find(attrs, chain::HOOK) {
        None => String::new(),
        Some(hook) => {
            let name = chain::HOOKS.get(number(hook, chain::HOOK_NUM)? as usize)?;
            let priority = i32::from_be_bytes(number(hook, chain::HOOK_PRIORITY)?.to_be_bytes());
            format!(" type {} hook {name} priority {priority};", text(attrs, chain::TYPE)?)
        }
    };
    let comment = comment(attrs, chain::USERDATA).map(|comment| format!(" comment \"{comment}\";"));
    let block = hook + &comment.unwrap_or_default();
    Some(if block.is_empty() { block } else { format!(" {{{block} }}") })
}
