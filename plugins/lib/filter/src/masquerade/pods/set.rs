//! The sets of pod addresses, and the rules that read them.

use std::net::IpAddr;

use cni_types::{Cidr, Family, ip_from_octets, ip_octets};

use super::{POSTROUTING, TABLE};
use crate::nft::{Compare, DataType, Expr, Meta, PayloadBase, Register, Request, Rule, Set, Verdict};

/// The set of one family and prefix length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pods {
    pub(super) family: Family,
    pub(super) prefix: u8,
}

impl Pods {
    pub(super) fn of(cidr: Cidr) -> Self {
        Self { family: cidr.family(), prefix: cidr.prefix() }
    }

    pub(super) fn name(self) -> String {
        format!("pods{}_{}", self.family.version(), self.prefix)
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        let (version, prefix) = name.strip_prefix("pods")?.split_once('_')?;
        let family = Family::ALL.into_iter().find(|family| version == family.version().to_string())?;
        let set = Self { family, prefix: prefix.parse().ok()? };
        (set.name() == name && set.prefix <= family.bits()).then_some(set)
    }

    /// The key of an address: itself, then its network. `None` for one of the other family.
    pub(super) fn key(self, ip: IpAddr) -> Option<Vec<u8>> {
        let cidr = Cidr::new(ip, self.prefix).filter(|cidr| cidr.family() == self.family)?;
        Some([ip_octets(ip), ip_octets(cidr.network())].concat())
    }

    /// The address of a key.
    pub(super) fn address(self, key: &[u8]) -> Option<IpAddr> {
        ip_from_octets(key.get(..usize::from(self.family.octets()))?)
    }

    pub(super) fn ensure(self, id: u32) -> Request {
        let field = DataType::address(self.family);
        Set { table: TABLE, name: &self.name() }.ensure(id, &[field, field], false)
    }

    /// `id` is that of [`Self::ensure`] in the same batch, or 0.
    pub(super) fn rule(self, id: u32) -> Request {
        let (name, number) = (self.name(), self.family.number());
        let (len, saddr, daddr, second) = match self.family {
            Family::V4 => (4, 12, 16, Register::word(1)),
            Family::V6 => (16, 8, 24, Register::R2),
        };
        let mask = self.family.mask(self.prefix);
        let load = |offset, into| Expr::payload(PayloadBase::Network, offset, len, into);
        // The network of a host prefix is the address itself.
        let masked = |offset| {
            let mask = (self.prefix < self.family.bits()).then(|| Expr::mask(second, &ip_octets(mask)));
            [Some(load(saddr, Register::R1)), Some(load(offset, second)), mask].into_iter().flatten()
        };
        let mut expressions =
            vec![Expr::meta(Meta::NfProto, Register::R1), Expr::cmp(Register::R1, Compare::Equal, &[number])];
        expressions.extend(masked(saddr));
        expressions.push(Expr::lookup(&name, id, Register::R1));
        expressions.extend(masked(daddr));
        expressions.extend([Expr::not_in(&name, id, Register::R1), Expr::masquerade()]);
        Rule::append(POSTROUTING, &expressions, None)
    }
}

/// Multicast leaves as it is: `ip daddr 224.0.0.0/4 return`.
pub(super) fn multicast(family: Family, offset: u32, mask: &[u8], group: &[u8]) -> Request {
    let len = u32::try_from(mask.len()).unwrap_or(4);
    let mut expressions = vec![
        Expr::meta(Meta::NfProto, Register::R1),
        Expr::cmp(Register::R1, Compare::Equal, &[family.number()]),
        Expr::payload(PayloadBase::Network, offset, len, Register::R1),
    ];
    if mask.iter().any(|&byte| byte != 0xff) {
        expressions.push(Expr::mask(Register::R1, mask));
    }
    expressions.extend([Expr::cmp(Register::R1, Compare::Equal, group), Expr::verdict(Verdict::Return)]);
    Rule::append(POSTROUTING, &expressions, None)
}
