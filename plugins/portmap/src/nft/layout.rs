//! What is shared by all mappings of the host: chains, rules, and the maps they look into.

use cni_filter::nft::{
    Batch, Chain, ChainState, Compare, Expr, Family, FibResult, Hook, Message, Meta, PayloadBase, Register,
    Rule, Set, Socket, Verdict,
};
use cni_types::Result;

use super::port::Map;
use super::source::Sources;
use super::{POSTROUTING, Plan, TABLE};
use crate::condition::Class;

const fn chain(name: &'static str) -> Chain<'static> {
    Chain { table: TABLE, name }
}
const PREROUTING: Chain<'_> = chain("prerouting");
const OUTPUT: Chain<'_> = chain("output");
const HOSTPORTS: Chain<'_> = chain("hostports");
const CONDITIONAL: Chain<'_> = chain("conditional");
const PLAIN: Chain<'_> = chain("plain");
const LOCALNET: Chain<'_> = chain("localnet");
/// The chains and how many rules they have, with the jumps into them: `None` for as many as there are sets of sources,
/// or any number.
const CHAINS: [(Chain<'_>, Option<u32>); 7] = [
    (PREROUTING, Some(1)),
    (OUTPUT, Some(1)),
    (HOSTPORTS, Some(5)),
    (PLAIN, Some(9)),
    (LOCALNET, Some(2)),
    (CONDITIONAL, None),
    (POSTROUTING, None),
];

/// The names of the maps and sets that are there.
pub(super) fn sets(socket: &Socket) -> Result<Vec<String>> {
    let answers = socket.dump(&Set::list(TABLE))?;
    Ok(answers.iter().filter_map(|answer| Set::read_name(answer).map(str::to_owned)).collect())
}

/// What is missing of the layout for these plans, in words; empty if nothing is.
pub(super) fn missing(socket: &Socket, sets: &[String], plans: &[Plan]) -> Result<Vec<String>> {
    let mut missing = missing_chains(socket, sets)?;
    for plan in plans {
        if let Some(class) = plan.class.as_ref() {
            if !has_class(socket, plan.ipv4(), class)? {
                missing.push(format!("chain {CONDITIONAL} has no rules for the conditions {}", class.text));
            }
        }
        let maps = Map::all(plan.ipv4(), plan.class_name()).map(|map| map.name());
        let names = maps.into_iter().chain(plan.sources.iter().map(|network| Sources::of(*network).name()));
        missing.extend(
            names.filter(|name| !sets.contains(name)).map(|name| format!("{TABLE} has no set {name}")),
        );
    }
    Ok(missing)
}

/// What has to be made before the plans' elements can be added; empty in the common case.
pub(super) fn ensure(socket: &Socket, sets: &[String], plans: &[Plan]) -> Result<Batch> {
    let mut batch = Batch::new();
    let mut ids = 1..;
    let mut id = || ids.next().unwrap_or(0);
    if !missing_chains(socket, sets)?.is_empty() {
        fixed(&mut batch, &mut id);
        batch.extend(sets.iter().filter_map(|name| Sources::parse(name)).map(|set| set.rule(0)));
    }
    let mut new = Vec::new();
    for network in plans.iter().flat_map(|plan| &plan.sources) {
        let set = Sources::of(*network);
        if !sets.contains(&set.name()) && !new.contains(&set) {
            new.push(set);
            let id = id();
            batch.extend([set.ensure(id), set.rule(id)]);
        }
    }
    for plan in plans {
        let Some(class) = plan.class.as_ref() else { continue };
        if !has_class(socket, plan.ipv4(), class)? {
            let comment = class.comment(plan.ipv4());
            for map in Map::all(plan.ipv4(), &class.name) {
                let id = id();
                batch.push(map.ensure(id));
                for conditions in &class.alternatives {
                    batch.push(Rule::append(CONDITIONAL, &translation(&map, id, conditions), Some(&comment)));
                }
            }
        }
    }
    Ok(batch)
}

fn missing_chains(socket: &Socket, sets: &[String]) -> Result<Vec<String>> {
    let answers = socket.ask(&CHAINS.map(|(chain, _)| chain.find()))?;
    let sources = sets.iter().filter(|name| Sources::parse(name).is_some()).count();
    let mut missing = Vec::new();
    for ((chain, expected), answer) in CHAINS.iter().zip(answers) {
        let state = answer.as_deref().and_then(ChainState::read);
        let complete = |uses: u32| match expected {
            Some(expected) => uses == *expected,
            None if *chain == POSTROUTING => uses as usize == sources,
            None => uses >= 1,
        };
        match state {
            None => missing.push(format!("there is no chain {chain}")),
            Some(state) if !complete(state.uses) => {
                missing.push(format!("chain {chain} is not as it was made"));
            }
            Some(_) => {}
        }
    }
    Ok(missing)
}

fn has_class(socket: &Socket, ipv4: bool, class: &Class) -> Result<bool> {
    let comment = class.comment(ipv4);
    let rules = socket.dump(&Rule::list(TABLE, Some(CONDITIONAL.name)))?;
    Ok(rules.iter().filter_map(|rule| Rule::read(rule)).any(|rule| rule.comment == Some(comment.as_str())))
}

/// Everything but classes and sources, from scratch.
fn fixed(batch: &mut Batch, id: &mut dyn FnMut() -> u32) {
    // After others' nat at the usual -100: what they translate more specifically is theirs (CVE-2019-9946).
    let nat = |number| Hook { kind: "nat", number, priority: -90 };
    batch.extend([
        TABLE.ensure(),
        PREROUTING.ensure_base(nat(0)),
        OUTPUT.ensure_base(nat(3)),
        POSTROUTING.ensure_base(Hook { kind: "nat", number: 4, priority: 100 }),
        // Before connection tracking turns an answer's destination back into 127.0.0.1.
        LOCALNET.ensure_base(Hook { kind: "filter", number: 0, priority: -300 }),
        HOSTPORTS.ensure(None),
        CONDITIONAL.ensure(None),
        PLAIN.ensure(None),
    ]);
    batch.extend(CHAINS.iter().filter(|(chain, _)| *chain != CONDITIONAL).map(|(chain, _)| chain.flush()));
    for base in [PREROUTING, OUTPUT] {
        batch.push(Rule::append(base, &local(Verdict::Jump(HOSTPORTS.name)), None));
    }
    batch.push(Rule::append(HOSTPORTS, &not_from_loopback6(), None));
    for next in [CONDITIONAL, PLAIN] {
        batch.push(Rule::append(HOSTPORTS, &[Expr::verdict(Verdict::Jump(next.name))], None));
    }
    for map in Map::all(true, "").iter().chain(&Map::all(false, "")) {
        let id = id();
        batch.extend([map.ensure(id), Rule::append(PLAIN, &translation(map, id, &[]), None)]);
    }
    batch.extend([loopback_from_outside(16), loopback_from_outside(12)]);
}

/// `fib daddr type local <verdict>`: only what is sent to this host (CVE-2025-67499).
fn local(verdict: Verdict<'_>) -> Vec<Expr> {
    const RTN_LOCAL: u32 = 2;
    vec![
        Expr::fib_daddr(FibResult::AddrType, Register::R1),
        Expr::cmp(Register::R1, Compare::Equal, &RTN_LOCAL.to_ne_bytes()),
        Expr::verdict(verdict),
    ]
}

/// `ip6 daddr ::1 return`: the kernel cannot send from ::1 to a container, so who asks gets a refusal, not a time-out.
fn not_from_loopback6() -> Vec<Expr> {
    let mut loopback = [0; 16];
    loopback[15] = 1;
    vec![
        Expr::meta(Meta::NfProto, Register::R1),
        Expr::cmp(Register::R1, Compare::Equal, &[Family::Ipv6 as u8]),
        Expr::payload(PayloadBase::Network, 24, 16, Register::R1),
        Expr::cmp(Register::R1, Compare::Equal, &loopback),
        Expr::verdict(Verdict::Return),
    ]
}

/// `iifname != "lo" ip daddr 127.0.0.0/8 drop`, or with the source at this offset: `route_localnet` must not let
/// neighbours reach what listens on 127.0.0.1 (CVE-2020-8558), nor pretend to be there.
fn loopback_from_outside(offset: u32) -> Message {
    let mut lo = [0; 16];
    lo[..2].copy_from_slice(b"lo");
    let rule = [
        Expr::meta(Meta::IifName, Register::R1),
        Expr::cmp(Register::R1, Compare::NotEqual, &lo),
        Expr::meta(Meta::NfProto, Register::R1),
        Expr::cmp(Register::R1, Compare::Equal, &[Family::Ipv4 as u8]),
        Expr::payload(PayloadBase::Network, offset, 1, Register::R1),
        Expr::cmp(Register::R1, Compare::Equal, &[127]),
        Expr::verdict(Verdict::Drop),
    ];
    Rule::append(LOCALNET, &rule, None)
}

/// Only the protection of 127.0.0.0/8, for mappings that iptables carries.
pub(super) fn ensure_localnet(socket: &Socket) -> Result<Batch> {
    let state = socket.ask(&[LOCALNET.find()])?.pop().flatten();
    let mut batch = Batch::new();
    if state.as_deref().and_then(ChainState::read).is_none_or(|state| state.uses != 2) {
        batch.extend([
            TABLE.ensure(),
            LOCALNET.ensure_base(Hook { kind: "filter", number: 0, priority: -300 }),
            LOCALNET.flush(),
            loopback_from_outside(16),
            loopback_from_outside(12),
        ]);
    }
    Ok(batch)
}

/// `[conditions] dnat ip to [ip daddr .] meta l4proto . th dport map @<map>`
fn translation(map: &Map, id: u32, conditions: &[Expr]) -> Vec<Expr> {
    let (family, len, daddr) = if map.ipv4 { (Family::Ipv4, 4, 16) } else { (Family::Ipv6, 16, 24) };
    let words = if map.ipv4 { 1 } else { 4 };
    let mut expressions = vec![
        Expr::meta(Meta::NfProto, Register::R1),
        Expr::cmp(Register::R1, Compare::Equal, &[family as u8]),
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
        Expr::dnat(family, Register::R1, (!map.ranges).then(|| Register::word(words))),
    ]);
    expressions
}
