//! The sets of pod addresses, and the rules that read them.

use std::net::IpAddr;

use cni_types::Cidr;

use super::{POSTROUTING, TABLE};
use crate::nft::{Compare, DataType, Expr, Message, Meta, PayloadBase, Register, Rule, Set, Verdict};

/// The set of one family and prefix length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pods {
    pub(super) ipv4: bool,
    pub(super) prefix: u8,
}

impl Pods {
    pub(super) fn of(cidr: Cidr) -> Self {
        Self { ipv4: cidr.is_ipv4(), prefix: cidr.prefix() }
    }

    pub(super) fn name(self) -> String {
        format!("pods{}_{}", if self.ipv4 { 4 } else { 6 }, self.prefix)
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        let (family, prefix) = name.strip_prefix("pods")?.split_once('_')?;
        let set = Self { ipv4: family == "4", prefix: prefix.parse().ok()? };
        (set.name() == name && set.prefix <= if set.ipv4 { 32 } else { 128 }).then_some(set)
    }

    /// The key of an address: itself, then its network. `None` for one of the other family.
    pub(super) fn key(self, ip: IpAddr) -> Option<Vec<u8>> {
        let cidr = Cidr::new(ip, self.prefix).filter(|cidr| cidr.is_ipv4() == self.ipv4)?;
        Some([octets(ip), octets(cidr.network())].concat())
    }

    pub(super) fn ensure(self, id: u32) -> Message {
        let field = if self.ipv4 { DataType::Ipv4Addr } else { DataType::Ipv6Addr };
        Set { table: TABLE, name: &self.name() }.ensure(id, &[field, field], false)
    }

    /// `id` is that of [`Self::ensure`] in the same batch, or 0.
    pub(super) fn rule(self, id: u32) -> Message {
        let (name, family, len, saddr, daddr, second) = if self.ipv4 {
            (self.name(), 2, 4, 12, 16, Register::word(1))
        } else {
            (self.name(), 10, 16, 8, 24, Register::R2)
        };
        let ones = if self.ipv4 { IpAddr::from([255; 4]) } else { IpAddr::from([255; 16]) };
        let mask = Cidr::new(ones, self.prefix).map_or(ones, |cidr| cidr.network());
        let load = |offset, into| Expr::payload(PayloadBase::Network, offset, len, into);
        // The network of a host prefix is the address itself.
        let masked = |offset| {
            let mask = (mask != ones).then(|| Expr::mask(second, &octets(mask)));
            [Some(load(saddr, Register::R1)), Some(load(offset, second)), mask].into_iter().flatten()
        };
        let mut expressions =
            vec![Expr::meta(Meta::NfProto, Register::R1), Expr::cmp(Register::R1, Compare::Equal, &[family])];
        expressions.extend(masked(saddr));
        expressions.push(Expr::lookup(&name, id, Register::R1));
        expressions.extend(masked(daddr));
        expressions.extend([Expr::not_in(&name, id, Register::R1), Expr::masquerade()]);
        Rule::append(POSTROUTING, &expressions, None)
    }
}

/// Multicast leaves as it is: `ip daddr 224.0.0.0/4 return`.
pub(super) fn multicast(family: u8, offset: u32, mask: &[u8], group: &[u8]) -> Message {
    let len = u32::try_from(mask.len()).unwrap_or(4);
    let mut expressions = vec![
        Expr::meta(Meta::NfProto, Register::R1),
        Expr::cmp(Register::R1, Compare::Equal, &[family]),
        Expr::payload(PayloadBase::Network, offset, len, Register::R1),
    ];
    if mask.iter().any(|&byte| byte != 0xff) {
        expressions.push(Expr::mask(Register::R1, mask));
    }
    expressions.extend([Expr::cmp(Register::R1, Compare::Equal, group), Expr::verdict(Verdict::Return)]);
    Rule::append(POSTROUTING, &expressions, None)
}

fn octets(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}
