//! Whose packets are masqueraded on their way to a container: one set per family and prefix length, `sources4_24`, with
//! elements `<container> . <network the packet comes from>`.

use std::net::IpAddr;

use cni_filter::nft::{
    Compare, DST_NAT, DataType, Element, Expr, Message, Meta, PayloadBase, Register, Rule, Set,
};
use cni_types::Cidr;

use super::port::octets;
use super::{POSTROUTING, TABLE};

/// The set of one family and prefix length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sources {
    pub(super) ipv4: bool,
    pub(super) prefix: u8,
}

impl Sources {
    pub(super) fn of(network: Cidr) -> Self {
        Self { ipv4: network.is_ipv4(), prefix: network.prefix() }
    }

    pub(super) fn name(self) -> String {
        format!("sources{}_{}", if self.ipv4 { 4 } else { 6 }, self.prefix)
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        let (family, prefix) = name.strip_prefix("sources")?.split_once('_')?;
        let set = Self { ipv4: family == "4", prefix: prefix.parse().ok()? };
        (set.name() == name && set.prefix <= if set.ipv4 { 32 } else { 128 }).then_some(set)
    }

    pub(super) fn element(container: IpAddr, network: Cidr) -> Vec<u8> {
        [octets(container), octets(network.network())].concat()
    }

    pub(super) fn ensure(self, id: u32) -> Message {
        let field = if self.ipv4 { DataType::Ipv4Addr } else { DataType::Ipv6Addr };
        Set { table: TABLE, name: &self.name() }.ensure(id, &[field, field], false)
    }

    /// `ct status dnat ip daddr . ip saddr & <mask> @sources4_<n> masquerade`
    pub(super) fn rule(self, id: u32) -> Message {
        let (family, len, saddr, daddr, second) =
            if self.ipv4 { (2, 4, 12, 16, Register::word(1)) } else { (10, 16, 8, 24, Register::R2) };
        let ones = if self.ipv4 { IpAddr::from([255; 4]) } else { IpAddr::from([255; 16]) };
        let mask = Cidr::new(ones, self.prefix).map_or(ones, |cidr| cidr.network());
        let mut expressions = vec![
            Expr::meta(Meta::NfProto, Register::R1),
            Expr::cmp(Register::R1, Compare::Equal, &[family]),
            Expr::ct_status(Register::R1),
            Expr::mask(Register::R1, &DST_NAT.to_ne_bytes()),
            Expr::cmp(Register::R1, Compare::NotEqual, &[0; 4]),
            Expr::payload(PayloadBase::Network, daddr, len, Register::R1),
            Expr::payload(PayloadBase::Network, saddr, len, second),
        ];
        if mask != ones {
            expressions.push(Expr::mask(second, &octets(mask)));
        }
        expressions.extend([Expr::lookup(&self.name(), id, Register::R1), Expr::masquerade()]);
        Rule::append(POSTROUTING, &expressions, None)
    }
}

/// The element with these keys in its set.
pub(super) fn element(key: &[u8]) -> Element {
    Element::new(key)
}
