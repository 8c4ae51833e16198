//! Chains.

use super::Table;
use super::comment::{comment, write};
use super::lookup::{number, text};
use super::message::{DELCHAIN, DELRULE, GETCHAIN, NEWCHAIN, request};
use cni_netlink::{CREATE, Request};

// enum nft_chain_attributes
const TABLE: u16 = 1;
const NAME: u16 = 3;
pub(super) const HOOK: u16 = 4;
const USE: u16 = 6;
pub(super) const TYPE: u16 = 7;
pub(super) const USERDATA: u16 = 12;
// enum nft_hook_attributes
pub(super) const HOOK_NUM: u16 = 1;
pub(super) const HOOK_PRIORITY: u16 = 2;
// enum nft_rule_attributes, for the flush
const RULE_TABLE: u16 = 1;
const RULE_CHAIN: u16 = 2;

/// The hooks by their numbers, `NF_INET_*` or `NF_BR_*`.
pub(super) const HOOKS: [&str; 5] = ["prerouting", "input", "forward", "output", "postrouting"];

/// Where a base chain sits. A new one has the policy accept, which is the kernel's default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hook {
    /// `nat`, `filter` or `route`.
    pub(super) kind: &'static str,
    /// Its place in [`HOOKS`].
    pub(super) number: u32,
    /// Lower runs earlier.
    pub(super) priority: i32,
}

/// A chain by its name, at most 255 bytes; tools of the reference's age take 127.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chain<'a> {
    /// The table it is in.
    pub table: Table<'a>,
    /// The name.
    pub name: &'a str,
}

/// What the kernel says of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainState {
    /// The name.
    pub name: String,
    /// How many rules are in it plus how many rules and elements lead into it.
    pub uses: u32,
    /// The comment, if it has one.
    pub comment: Option<String>,
}

impl ChainState {
    /// Reads an answer to [`Chain::find`] or [`Chain::list`].
    pub fn read(answer: &[u8]) -> Option<Self> {
        Some(Self {
            name: text(answer, NAME)?.to_owned(),
            uses: number(answer, USE)?,
            comment: comment(answer, USERDATA).map(str::to_owned),
        })
    }
}

impl Chain<'_> {
    /// Creates a chain to jump to; one that is there stays as it is.
    pub(super) fn ensure(self, comment: Option<&str>) -> Request {
        let mut message = self.message(NEWCHAIN, CREATE, "create");
        if let Some(comment) = comment {
            write(&mut message.attrs, USERDATA, comment);
        }
        message
    }

    /// Creates a base chain. One that is there stays as it is, with its policy, but must sit at the same hook (else
    /// `EEXIST` or `EOPNOTSUPP`).
    pub(super) fn ensure_base(self, hook: Hook) -> Request {
        let mut message = self.message(NEWCHAIN, CREATE, "create base");
        message.attrs.nest(HOOK, |attrs| {
            attrs.net32(HOOK_NUM, hook.number);
            attrs.bytes(HOOK_PRIORITY, &hook.priority.to_be_bytes());
        });
        message.attrs.text(TYPE, hook.kind);
        message
    }

    /// Removes the chain and its rules; `EBUSY` while anything leads into it.
    pub fn remove(self) -> Request {
        self.message(DELCHAIN, 0, "delete")
    }

    /// Removes all its rules.
    pub(super) fn flush(self) -> Request {
        let mut message = request(DELRULE, 0, self.table.family, format!("flush chain {self}"));
        message.attrs.text(RULE_TABLE, self.table.name);
        message.attrs.text(RULE_CHAIN, self.name);
        message
    }

    /// Asks for the chain's state.
    pub fn find(self) -> Request {
        self.message(GETCHAIN, 0, "look up")
    }

    /// Asks for all chains of the family; filter by table with [`Chain::in_table`].
    pub fn list(table: Table<'_>) -> Request {
        request(GETCHAIN, 0, table.family, format!("list the chains of table {table}"))
    }

    /// Whether a listed chain is in the table of this name.
    pub fn in_table(answer: &[u8], table: Table<'_>) -> bool {
        text(answer, TABLE) == Some(table.name)
    }

    fn message(self, kind: u16, flags: u16, verb: &str) -> Request {
        let mut message = request(kind, flags, self.table.family, format!("{verb} chain {self}"));
        message.attrs.text(TABLE, self.table.name);
        message.attrs.text(NAME, self.name);
        message
    }
}

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.table, self.name)
    }
}
