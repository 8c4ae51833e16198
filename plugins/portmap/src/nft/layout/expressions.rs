//! What the rules of the layout say.

use cni_filter::nft::{Compare, Expr, FibResult, Meta, PayloadBase, Register, Verdict};
use cni_types::Family;

use crate::nft::map::Map;

/// `fib daddr type local <verdict>`: only what is sent to this host (CVE-2025-67499).
pub(super) fn local(verdict: Verdict<'_>) -> Vec<Expr> {
    const RTN_LOCAL: u32 = 2;
    vec![
        Expr::fib_daddr(FibResult::AddrType, Register::R1),
        Expr::cmp(Register::R1, Compare::Equal, &RTN_LOCAL.to_ne_bytes()),
        Expr::verdict(verdict),
    ]
}

/// `ip6 daddr ::1 return`: the kernel cannot send from ::1 to a container, so who asks gets a refusal, not a time-out.
pub(super) fn not_from_loopback6() -> Vec<Expr> {
    let mut loopback = [0; 16];
    loopback[15] = 1;
    vec![
        Expr::meta(Meta::NfProto, Register::R1),
        Expr::cmp(Register::R1, Compare::Equal, &[Family::V6.number()]),
        Expr::payload(PayloadBase::Network, 24, 16, Register::R1),
        Expr::cmp(Register::R1, Compare::Equal, &loopback),
        Expr::verdict(Verdict::Return),
    ]
}

/// `iifname != "lo" ip daddr 127.0.0.0/8 drop`, or with the source at this offset: `route_localnet` must not let
/// neighbours reach what listens on 127.0.0.1 (CVE-2020-8558), nor pretend to be there.
pub(super) fn loopback_from_outside(offset: u32) -> Vec<Expr> {
    let mut lo = [0; 16];
    lo[..2].copy_from_slice(b"lo");
    vec![
        Expr::meta(Meta::IifName, Register::R1),
        Expr::cmp(Register::R1, Compare::NotEqual, &lo),
        Expr::meta(Meta::NfProto, Register::R1),
        Expr::cmp(Register::R1, Compare::Equal, &[Family::V4.number()]),
        Expr::payload(PayloadBase::Network, offset, 1, Register::R1),
        Expr::cmp(Register::R1, Compare::Equal, &[127]),
        Expr::verdict(Verdict::Drop),
    ]
}

/// `[conditions] dnat ip to [ip daddr .] meta l4proto . th dport map @<map>`
pub(super) fn translation(map: &Map, id: u32, conditions: &[Expr]) -> Vec<Expr> {
    let (len, daddr, words) = match map.family {
        Family::V4 => (4, 16, 1),
        Family::V6 => (16, 24, 4),
    };
    let mut expressions = vec![
        Expr::meta(Meta::NfProto, Register::R1),
        Expr::cmp(Register::R1, Compare::Equal, &[map.family.number()]),
    ];
    expressions.extend(conditions.iter().cloned());
    let mut word = 0;
    if map.by_host_ip {
        expressions.push(Expr::payload(PayloadBase::Network, daddr, len, Register::R1));
        word = words;
    }
    expressions.extend([
        Expr::meta(Meta::L4Proto, Register::word(word)),
        Expr::payload(PayloadBase::Transport, 2, 2, Register::word(word + 1)),
        Expr::map(&map.name(), id, Register::R1, Register::R1),
        Expr::dnat(map.family, Register::R1, (!map.ranges).then(|| Register::word(words))),
    ]);
    expressions
}
