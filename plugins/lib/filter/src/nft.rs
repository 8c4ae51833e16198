//! nftables over netlink, without the `nft` tool: encodings of `linux/netfilter/nf_tables.h`, atomic batches, look-ups
//! by key. One file per noun; every constructor returns a [`Request`] that a [`Batch`] or a [`Socket`] takes.
//!
//! Numbers are big-endian in this protocol. What `nft list` shows of our objects is what the tests compare.

mod batch;
mod by_prefix;
mod chain;
mod comment;
mod element;
mod expr;
mod layout;
mod lookup;
mod message;
mod owned;
mod rule;
mod set;
mod socket;
mod table;
mod verdict;
mod words;
mod xtables;

pub use batch::Batch;
pub use by_prefix::ByPrefix;
pub use chain::{Chain, ChainState};
pub use cni_netlink::{Refused, Request};
pub use comment::{COMMENT_MAX, comment};
pub use element::{Element, ElementState};
pub use expr::ExprState;
pub use layout::Layout;
pub use message::TableFamily;
pub use owned::OwnedElement;
pub use rule::Rule;
pub use set::Set;
pub use socket::Socket;
pub use table::Table;
pub use verdict::Verdict;
pub use words::words;
