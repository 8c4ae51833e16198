//! Whose packets are masqueraded on their way to a container: one set per family and prefix length, `sources4_24`, with
//! elements `<container> . <network the packet comes from>`.

use std::net::IpAddr;

use cni_filter::nft::{
    Compare, DST_NAT, DataType, Element, Expr, Meta, PayloadBase, Register, Request, Rule, Set,
};
use cni_types::{Cidr, Family, ip_octets};

use super::{POSTROUTING, TABLE};

/// The set of one family and prefix length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sources {
    pub(super) family: Family,
    pub(super) prefix: u8,
}

impl Sources {
    pub(super) fn of(network: Cidr) -> Self {
        Self { family: network.family(), prefix: network.prefix() }
    }

    pub(super) fn name(self) -> String {
        format!("sources{}_{}", self.family.version(), self.prefix)
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        let (version, prefix) = name.strip_prefix("sources")?.split_once('_')?;
        let family = Family::ALL.into_iter().find(|family| version == family.version().to_string())?;
        let set = Self { family, prefix: prefix.parse().ok()? };
        (set.name() == name && set.prefix <= family.bits()).then_some(set)
    }

    pub(super) fn element(container: IpAddr, network: Cidr) -> Vec<u8> {
        [ip_octets(container), ip_octets(network.network())].concat()
    }

    pub(super) fn ensure(self, id: u32) -> Request {
        let field = DataType::address(self.family);
        Set { table: TABLE, name: &self.name() }.ensure(id, &[field, field], false)
    }

    /// `ct status dnat ip daddr . ip saddr & <mask> @sources4_<n> masquerade`
    pub(super) fn rule(self, id: u32) -> Request {
        let (len, saddr, daddr, second) = match self.family {
            Family::V4 => (4, 12, 16, Register::word(1)),
            Family::V6 => (16, 8, 24, Register::R2),
        };
        let mask = self.family.mask(self.prefix);
        let mut expressions = vec![
            Expr::meta(Meta::NfProto, Register::R1),
            Expr::cmp(Register::R1, Compare::Equal, &[self.family.number()]),
            Expr::ct_status(Register::R1),
            Expr::mask(Register::R1, &DST_NAT.to_ne_bytes()),
            Expr::cmp(Register::R1, Compare::NotEqual, &[0; 4]),
            Expr::payload(PayloadBase::Network, daddr, len, Register::R1),
            Expr::payload(PayloadBase::Network, saddr, len, second),
        ];
        if self.prefix < self.family.bits() {
            expressions.push(Expr::mask(second, &ip_octets(mask)));
        }
        expressions.extend([Expr::lookup(&self.name(), id, Register::R1), Expr::masquerade()]);
        Rule::append(POSTROUTING, &expressions, None)
    }
}

/// The element with these keys in its set.
pub(super) fn element(key: &[u8]) -> Element {
    Element::new(key)
}
