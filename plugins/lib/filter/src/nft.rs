//! nftables over netlink, without the `nft` tool: encodings of `linux/netfilter/nf_tables.h`, atomic batches, look-ups
//! by key. One file per noun; every constructor returns a [`Request`] that a [`Batch`] or a [`Socket`] takes.
//!
//! Numbers are big-endian in this protocol. What `nft list` shows of our objects is what the tests compare.

mod batch;
mod chain;
mod comment;
mod element;
mod expr;
mod lookup;
mod message;
mod rule;
mod set;
mod socket;
mod table;
mod verdict;
mod xtables;

pub use batch::Batch;
pub use chain::{Chain, ChainState, Hook};
pub use cni_netlink::{Refused, Request};
pub use comment::{COMMENT_MAX, comment};
pub use element::{Element, ElementState};
pub use expr::{Compare, DST_NAT, Expr, ExprState, FibResult, Meta, PayloadBase, Register};
pub use rule::Rule;
pub use set::{DataType, Set};
pub use socket::Socket;
pub use table::{Table, TableFamily};
pub use verdict::Verdict;
