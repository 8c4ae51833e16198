//! Rules.

use super::comment::{comment, write};
use super::expr::{Expr, ExprState, are_alike};
use super::lookup::text;
use super::message::{self, DELRULE, GETRULE, NEWRULE, request};
use super::{Chain, Table, Verdict};
use cni_netlink::attr::{each, find, net64};
use cni_netlink::{APPEND, CREATE, Request};

// enum nft_rule_attributes, NFTA_LIST_ELEM
const TABLE: u16 = 1;
const CHAIN: u16 = 2;
const HANDLE: u16 = 3;
pub(super) const EXPRESSIONS: u16 = 4;
pub(super) const USERDATA: u16 = 7;
const LIST_ELEM: u16 = 1;

/// A rule the kernel has, in an answer to [`Rule::list`].
#[derive(Debug, Clone, Copy)]
pub struct Rule<'a> {
    /// The chain it is in.
    pub chain: &'a str,
    /// The number it is deleted by.
    pub handle: u64,
    /// The comment in its user data.
    pub comment: Option<&'a str>,
    expressions: &'a [u8],
}

impl<'a> Rule<'a> {
    /// Adds a rule at the end of a chain.
    pub(super) fn append(chain: Chain<'_>, expressions: &[Expr], comment: Option<&str>) -> Request {
        let act = format!("add a rule to chain {chain}");
        let mut message = request(NEWRULE, CREATE | APPEND, chain.table.family, act);
        message.attrs.text(TABLE, chain.table.name);
        message.attrs.text(CHAIN, chain.name);
        message.attrs.nest(EXPRESSIONS, |list| {
            for expr in expressions {
                list.nest(LIST_ELEM, |attrs| expr.write(attrs));
            }
        });
        if let Some(comment) = comment {
            write(&mut message.attrs, USERDATA, comment);
        }
        message
    }

    /// Removes the rule with this handle.
    pub fn remove(chain: Chain<'_>, handle: u64) -> Request {
        let act = format!("delete rule {handle} of chain {chain}");
        let mut message = request(DELRULE, 0, chain.table.family, act);
        message.attrs.text(TABLE, chain.table.name);
        message.attrs.text(CHAIN, chain.name);
        message.attrs.net64(HANDLE, handle);
        message
    }

    /// Asks for the rules of a table, or of one of its chains.
    pub fn list(table: Table<'_>, chain: Option<&str>) -> Request {
        let mut message = request(GETRULE, 0, table.family, format!("list the rules of table {table}"));
        message.attrs.text(TABLE, table.name);
        if let Some(chain) = chain {
            message.attrs.text(CHAIN, chain);
        }
        message
    }

    /// Reads one rule of an answer.
    pub fn read(answer: &'a [u8]) -> Option<Self> {
        Some(Self {
            chain: text(answer, CHAIN)?,
            handle: net64(find(answer, HANDLE)?)?,
            comment: comment(answer, USERDATA),
            expressions: find(answer, EXPRESSIONS).unwrap_or(&[]),
        })
    }

    /// Its expressions.
    pub fn expressions(&self) -> impl Iterator<Item = ExprState<'a>> + use<'a> {
        each(self.expressions).filter_map(|(_, expr)| ExprState::read(expr))
    }

    /// Whether it is in the chain of `written`, a rule of a layout, and does the same. Comments do not count.
    pub fn is_like(&self, written: &Request) -> bool {
        let attrs = message::attrs(written.attrs.as_bytes());
        text(attrs, CHAIN) == Some(self.chain)
            && are_alike(find(attrs, EXPRESSIONS).unwrap_or(&[]), self.expressions)
    }

    /// How the rules of a chain that is ours alone differ from those `written`, in words; `None` if they do not.
    /// `listed` may have other chains' rules, too.
    pub fn deviation(chain: Chain<'_>, listed: &'a [Vec<u8>], written: &[Request]) -> Option<String> {
        let rules = listed.iter().filter_map(|answer| Rule::read(answer));
        let rules: Vec<_> = rules.filter(|rule| rule.chain == chain.name).collect();
        let at = rules.iter().zip(written).position(|(rule, written)| !rule.is_like(written));
        let at = at.unwrap_or_else(|| rules.len().min(written.len()));
        let place = at + 1;
        let what = match (rules.get(at), written.get(at)) {
            (None, None) => return None,
            (None, Some(_)) => format!("rule {place} of {} is missing", written.len()),
            (Some(rule), Some(_)) => format!("rule {place} (handle {}) is another", rule.handle),
            (Some(rule), None) => format!("rule {place} (handle {}) is one too many", rule.handle),
        };
        Some(format!("chain {chain} is not as it was made: {what}; the next ADD makes it anew"))
    }

    /// The chain it jumps or goes to.
    pub fn target(&self) -> Option<&'a str> {
        self.expressions().find_map(|expr| match expr.verdict()? {
            Verdict::Jump(chain) | Verdict::Goto(chain) => Some(chain),
            _ => None,
        })
    }
}
