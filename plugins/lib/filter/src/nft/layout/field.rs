//! What a rule can look at.

use cni_types::Family;

use super::super::expr::{Expr, ExprState, Register};
use super::super::lookup::number;
use super::tokens::{Read, Tokens};

/// A field of the packet, or of what the kernel knows about it.
#[derive(Clone, Copy)]
pub(in super::super) struct Field {
    /// The expression that loads it, with its numbers behind the register; of a payload: base and offset.
    load: (&'static str, &'static [u32]),
    /// In bytes.
    pub(super) len: u8,
    pub(super) kind: Kind,
}

/// What its values are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Kind {
    Address(Family),
    Mac,
    Interface,
    Mark,
    /// One of these words.
    Words(&'static [(&'static str, &'static [u8])]),
    /// Some of these bits.
    Flags(&'static [(&'static str, u32)]),
    /// Nothing that is written out.
    Key,
}

const fn field(load: (&'static str, &'static [u32]), len: u8, kind: Kind) -> Field {
    Field { load, len, kind }
}

/// The network protocol (`NFPROTO_*`).
pub(super) const NETWORK: Field = field(("meta", &[15]), 1, Kind::Words(&[("ipv4", &[2]), ("ipv6", &[10])]));
/// `RTN_LOCAL`.
const LOCAL: [u8; 4] = 2_u32.to_ne_bytes();

/// By name. The numbers are offsets in the headers, `enum nft_meta_keys`, `nft_ct_keys`, `nft_fib_result` and `nft_fib_flags`.
pub(in super::super) const FIELDS: [(&str, Field); 14] = [
    ("ip saddr", field(("payload", &[1, 12]), 4, Kind::Address(Family::V4))),
    ("ip daddr", field(("payload", &[1, 16]), 4, Kind::Address(Family::V4))),
    ("ip6 saddr", field(("payload", &[1, 8]), 16, Kind::Address(Family::V6))),
    ("ip6 daddr", field(("payload", &[1, 24]), 16, Kind::Address(Family::V6))),
    ("ether saddr", field(("payload", &[0, 6]), 6, Kind::Mac)),
    ("th dport", field(("payload", &[2, 2]), 2, Kind::Key)),
    ("iifname", field(("meta", &[6]), 16, Kind::Interface)),
    ("oifname", field(("meta", &[7]), 16, Kind::Interface)),
    ("meta mark", field(("meta", &[3]), 4, Kind::Mark)),
    ("meta nfproto", NETWORK),
    ("meta l4proto", field(("meta", &[16]), 1, Kind::Key)),
    ("fib daddr type", field(("fib", &[3, 2]), 4, Kind::Words(&[("local", &LOCAL)]))),
    ("ct state", field(("ct", &[0]), 4, Kind::Flags(&[("established", 1 << 1), ("related", 1 << 2)]))),
    ("ct status", field(("ct", &[2]), 4, Kind::Flags(&[("dnat", 1 << 5)]))),
];

impl Field {
    pub(super) fn read(tokens: &mut Tokens<'_>) -> Read<Self> {
        let known = FIELDS.iter().find(|(name, _)| tokens.takes(name));
        known.map(|(_, field)| *field).ok_or_else(|| format!("{:?} is nothing to look at", tokens.peek()))
    }

    /// What its values are, if it is what this expression loads, or begins with it.
    pub(in super::super) fn is(self, expr: &ExprState<'_>) -> Option<Kind> {
        let (name, numbers) = self.load;
        let mut loads = (2..).zip(numbers).map(|(kind, wanted)| number(expr.data, kind) == Some(*wanted));
        (expr.name == name && loads.all(|is_so| is_so)).then_some(self.kind)
    }

    /// The network protocol that has it, where not all have.
    pub(super) fn network(self) -> Option<Family> {
        if let Kind::Address(family) = self.kind { Some(family) } else { None }
    }

    /// Loads its first `len` bytes.
    pub(super) fn load(self, len: u8, into: Register) -> Expr {
        let (name, numbers) = self.load;
        let len = (name == "payload").then_some(u32::from(len));
        Expr::load(name, into, &[numbers, len.as_slice()].concat())
    }
}
