//! Expressions: what a rule is made of. Each loads into or reads from registers and ends the rule when it does not
//! match.

mod conntrack;
mod likeness;
mod xt;

use super::Verdict;
use super::verdict::{read_value, write_value};
use cni_netlink::attr::{Attrs, find};
use cni_types::Family;
pub(super) use likeness::are_alike;

// enum nft_expr_attributes
const NAME: u16 = 1;
const DATA: u16 = 2;

/// A register: `R1` and `R2` hold 16 bytes each, [`Register::word`] addresses 4 of them for concatenated keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Register(u32);

impl Register {
    /// Where verdicts go (`NFT_REG_VERDICT`).
    const VERDICT: Self = Self(0);
    /// `NFT_REG_1`.
    pub const R1: Self = Self(1);
    /// `NFT_REG_2`, the 16 bytes after `R1`.
    pub const R2: Self = Self(2);

    /// The n-th word of 4 bytes (`NFT_REG32_00` + n), 0–15; words 0–3 are `R1`, 4–7 `R2`.
    /// The first of four is written as the kernel lists it: as the register of 16 bytes.
    pub const fn word(n: u8) -> Self {
        let n = (n & 15) as u32;
        Self(if n % 4 == 0 { 1 + n / 4 } else { 8 + n })
    }
}

/// Where a payload offset counts from (`enum nft_payload_bases`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum PayloadBase {
    /// The link layer header.
    Link = 0,
    /// The IP header.
    Network = 1,
    /// The TCP, UDP or SCTP header.
    Transport = 2,
}

/// A comparison (`enum nft_cmp_ops`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Compare {
    /// Equal.
    Equal = 0,
    /// Not equal.
    NotEqual = 1,
}

/// What of the packet's context is loaded (`enum nft_meta_keys`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Meta {
    /// The packet mark, host byte order.
    Mark = 3,
    /// The incoming interface's name, 16 bytes padded with NULs.
    IifName = 6,
    /// The outgoing interface's name.
    OifName = 7,
    /// The family: 2 or 10.
    NfProto = 15,
    /// The transport protocol, 1 byte.
    L4Proto = 16,
}

/// What a route look-up gives (`enum nft_fib_result`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum FibResult {
    /// The type of the address: 2 is local (`RTN_LOCAL`).
    AddrType = 3,
}

/// The connection's destination was translated (`IPS_DST_NAT`).
pub const DST_NAT: u32 = 1 << 5;

/// One expression, encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expr {
    name: &'static str,
    data: Attrs,
}

impl Expr {
    /// Loads `len` bytes of the packet at `offset`.
    pub fn payload(base: PayloadBase, offset: u32, len: u32, into: Register) -> Self {
        Self::numbers("payload", &[(1, into.0), (2, base as u32), (3, offset), (4, len)])
    }

    /// Loads packet context.
    pub fn meta(key: Meta, into: Register) -> Self {
        Self::numbers("meta", &[(1, into.0), (2, key as u32)])
    }

    /// Loads what the routing tables say of the destination address (`NFTA_FIB_F_DADDR`).
    pub fn fib_daddr(result: FibResult, into: Register) -> Self {
        Self::numbers("fib", &[(1, into.0), (2, result as u32), (3, 2)])
    }

    /// Loads the connection's status bits (`NFT_CT_STATUS`), host byte order; `ct status dnat` is [`DST_NAT`] of them.
    pub fn ct_status(into: Register) -> Self {
        Self::numbers("ct", &[(1, into.0), (2, 2)])
    }

    /// Goes on only if the register compares so.
    pub fn cmp(register: Register, how: Compare, value: &[u8]) -> Self {
        let mut expr = Self::numbers("cmp", &[(1, register.0), (2, how as u32)]);
        write_value(&mut expr.data, 3, value);
        expr
    }

    /// Keeps the register's bits that are in `mask`.
    pub fn mask(register: Register, mask: &[u8]) -> Self {
        let len = u32::try_from(mask.len()).unwrap_or(0);
        let mut expr = Self::numbers("bitwise", &[(1, register.0), (2, register.0), (3, len)]);
        write_value(&mut expr.data, 4, mask);
        write_value(&mut expr.data, 5, &vec![0; mask.len()]);
        expr
    }

    /// Goes on only if the register's value is in the set. `id` is that of [`super::Set::ensure`] in the same
    /// batch, 0 for a set that is there.
    pub fn lookup(set: &str, id: u32, register: Register) -> Self {
        Self::set_lookup(set, id, register, None)
    }

    /// Goes on only if the register's value is not in the set (`NFT_LOOKUP_F_INV`).
    pub fn not_in(set: &str, id: u32, register: Register) -> Self {
        let mut expr = Self::set_lookup(set, id, register, None);
        expr.data.net32(5, 1);
        expr
    }

    /// Loads from a map what the register's value leads to.
    pub fn map(set: &str, id: u32, register: Register, into: Register) -> Self {
        Self::set_lookup(set, id, register, Some(into))
    }

    /// Takes the verdict the register's value leads to.
    pub fn verdict_map(set: &str, id: u32, register: Register) -> Self {
        Self::set_lookup(set, id, register, Some(Register::VERDICT))
    }

    fn set_lookup(set: &str, id: u32, register: Register, into: Option<Register>) -> Self {
        let mut expr = Self::numbers("lookup", &[(2, register.0)]);
        expr.data.text(1, set);
        if let Some(into) = into {
            expr.data.net32(3, into.0);
        }
        if id != 0 {
            expr.data.net32(4, id);
        }
        expr
    }

    /// Takes a verdict.
    pub fn verdict(verdict: Verdict<'_>) -> Self {
        let mut expr = Self::numbers("immediate", &[(1, Register::VERDICT.0)]);
        verdict.write(&mut expr.data, 2);
        expr
    }

    /// Gives the connection the outgoing interface's address as its source.
    pub fn masquerade() -> Self {
        Self::numbers("masq", &[])
    }

    /// Gives the connection a new destination (`NFT_NAT_DNAT`): an address, and a port if there is one.
    pub fn dnat(family: Family, address: Register, port: Option<Register>) -> Self {
        let mut expr = Self::numbers("nat", &[(1, 1), (2, family.number().into()), (3, address.0)]);
        if let Some(port) = port {
            expr.data.net32(5, port.0);
        }
        expr
    }

    /// Counts packets and bytes.
    pub fn counter() -> Self {
        Self::numbers("counter", &[])
    }

    fn numbers(name: &'static str, attrs: &[(u16, u32)]) -> Self {
        let mut data = Attrs::default();
        for &(kind, number) in attrs {
            data.net32(kind, number);
        }
        Self { name, data }
    }

    /// The name by which the kernel knows the expression.
    pub fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn write(&self, attrs: &mut Attrs) {
        attrs.text(NAME, self.name);
        attrs.nest(DATA, |data| data.append(&self.data));
    }
}

/// An expression in the kernel's answer.
#[derive(Debug, Clone, Copy)]
pub struct ExprState<'a> {
    /// Its name.
    pub name: &'a str,
    pub(super) data: &'a [u8],
}

impl<'a> ExprState<'a> {
    pub(super) fn read(expr: &'a [u8]) -> Option<Self> {
        Some(Self { name: super::lookup::text(expr, NAME)?, data: find(expr, DATA).unwrap_or(&[]) })
    }

    /// The verdict of an immediate expression.
    pub fn verdict(&self) -> Option<Verdict<'a>> {
        if self.name == "immediate" { find(self.data, 2).and_then(Verdict::read) } else { None }
    }

    /// (base, offset, length) of a payload load.
    pub fn payload(&self) -> Option<(u32, u32, u32)> {
        let number = |kind| super::lookup::number(self.data, kind);
        if self.name == "payload" { Some((number(2)?, number(3)?, number(4)?)) } else { None }
    }

    /// The value of a comparison for equality.
    pub fn equals(&self) -> Option<&'a [u8]> {
        if self.name == "cmp" && super::lookup::number(self.data, 2) == Some(Compare::Equal as u32) {
            find(self.data, 3).and_then(read_value)
        } else {
            None
        }
    }

    /// The text of an xtables `comment` match (`struct xt_comment_info`), as iptables-nft writes it.
    pub fn xt_comment(&self) -> Option<&'a str> {
        if self.name != "match" || super::lookup::text(self.data, 1) != Some("comment") {
            return None;
        }
        super::lookup::text(self.data, 3)
    }
}
