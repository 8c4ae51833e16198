//! Expressions: what a rule is made of. Each loads into or reads from registers and ends the rule when it does not
//! match.

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
pub(super) struct Register(u32);

impl Register {
    /// The one in an expression's attribute.
    pub(super) fn read(data: &[u8], kind: u16) -> Option<Self> {
        super::lookup::number(data, kind).map(Self)
    }

    /// Where verdicts go (`NFT_REG_VERDICT`).
    const VERDICT: Self = Self(0);
    /// `NFT_REG_1`.
    pub(super) const R1: Self = Self(1);
    /// The n-th word of 4 bytes (`NFT_REG32_00` + n), 0–15; words 0–3 are `R1`, 4–7 `R2`.
    /// The first of four is written as the kernel lists it: as the register of 16 bytes.
    pub(super) const fn word(n: u8) -> Self {
        let n = (n & 15) as u32;
        Self(if n % 4 == 0 { 1 + n / 4 } else { 8 + n })
    }
}

/// `NFT_CMP_EQ` and `NFT_CMP_NEQ` (`enum nft_cmp_ops`).
const EQUAL: u32 = 0;
const NOT_EQUAL: u32 = 1;

/// One expression, encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expr {
    name: &'static str,
    data: Attrs,
}

impl Expr {
    /// Loads something; `numbers` are the attributes behind the register, in their order.
    pub(super) fn load(name: &'static str, into: Register, numbers: &[u32]) -> Self {
        Self::numbers(name, (1..).zip(std::iter::once(&into.0).chain(numbers).copied()))
    }

    /// Goes on only if the register compares so.
    pub(super) fn cmp(register: Register, is_equal: bool, value: &[u8]) -> Self {
        let how = if is_equal { EQUAL } else { NOT_EQUAL };
        let mut expr = Self::numbers("cmp", [(1, register.0), (2, how)]);
        write_value(&mut expr.data, 3, value);
        expr
    }

    /// Keeps the register's bits that are in `mask`.
    pub(super) fn mask(register: Register, mask: &[u8]) -> Self {
        let len = u32::try_from(mask.len()).unwrap_or(0);
        let mut expr = Self::numbers("bitwise", [(1, register.0), (2, register.0), (3, len)]);
        write_value(&mut expr.data, 4, mask);
        write_value(&mut expr.data, 5, &vec![0; mask.len()]);
        expr
    }

    /// Goes on only if the register's value is in the set, or is not (`NFT_LOOKUP_F_INV`). The kernel finds it by its
    /// name, also one of the same batch.
    pub(super) fn lookup(set: &str, register: Register, is_in: bool) -> Self {
        let mut expr = Self::numbers("lookup", [(2, register.0)]);
        expr.data.text(1, set);
        if !is_in {
            expr.data.net32(5, 1);
        }
        expr
    }

    /// Replaces the register's value by what it leads to in a map.
    pub(super) fn map(map: &str, register: Register) -> Self {
        let mut expr = Self::lookup(map, register, true);
        expr.data.net32(3, register.0);
        expr
    }

    /// Takes a verdict.
    pub(super) fn verdict(verdict: Verdict<'_>) -> Self {
        let mut expr = Self::numbers("immediate", [(1, Register::VERDICT.0)]);
        verdict.write(&mut expr.data, 2);
        expr
    }

    /// Gives the connection the outgoing interface's address as its source.
    pub(super) fn masquerade() -> Self {
        Self::numbers("masq", [])
    }

    /// Gives the connection a new destination (`NFT_NAT_DNAT`): an address, and a port if there is one.
    pub(super) fn dnat(family: Family, address: Register, port: Option<Register>) -> Self {
        let mut expr = Self::numbers("nat", [(1, 1), (2, family.number().into()), (3, address.0)]);
        if let Some(port) = port {
            expr.data.net32(5, port.0);
        }
        expr
    }

    fn numbers(name: &'static str, attrs: impl IntoIterator<Item = (u16, u32)>) -> Self {
        let mut data = Attrs::default();
        for (kind, number) in attrs {
            data.net32(kind, number);
        }
        Self { name, data }
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
        if self.name == "cmp" && super::lookup::number(self.data, 2) == Some(EQUAL) {
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
