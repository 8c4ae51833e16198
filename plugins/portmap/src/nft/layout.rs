//! What is shared by all mappings of the host: chains, rules, and the maps they look into.

mod bank;
mod expressions;

use cni_filter::nft::{Batch, Chain, ChainState, Expr, Hook, Rule, Set, Socket, Verdict};
use cni_types::Result;

use super::map::Map;
use super::source::Sources;
use super::{POSTROUTING, Plan, TABLE};
use bank::Bank;
use expressions::{local, loopback_from_outside, not_from_loopback6, translation};

const fn chain(name: &str) -> Chain<'_> {
    Chain { table: TABLE, name }
}
const PREROUTING: Chain<'_> = chain("prerouting");
const OUTPUT: Chain<'_> = chain("output");
const HOSTPORTS: Chain<'_> = chain("hostports");
const CONDITIONAL: Chain<'_> = chain("conditional");
const PLAIN: Chain<'_> = chain("plain");
const LOCALNET: Chain<'_> = chain("localnet");
/// Before connection tracking turns an answer's destination back into 127.0.0.1.
const LOCALNET_HOOK: Hook = Hook { kind: "filter", number: 0, priority: -300 };

/// The chain of a layer behind the first.
fn later(layer: u8) -> String {
    format!("later{layer}")
}

/// The names of the maps and sets that are there.
pub(super) fn sets(socket: &Socket) -> Result<Vec<String>> {
    let answers = socket.dump(&Set::list(TABLE))?;
    Ok(answers.iter().filter_map(|answer| Set::read_name(answer).map(str::to_owned)).collect())
}

/// What is missing of the layout for these plans, in words; empty if nothing is.
pub(super) fn missing(socket: &Socket, sets: &[String], plans: &[Plan]) -> Result<Vec<String>> {
    let mut missing = missing_chains(socket, sets)?;
    for plan in plans {
        for layer in std::iter::once(1).chain(layers(sets, &[])) {
            let bank = Bank { ipv4: plan.ipv4(), class: plan.class.as_ref(), layer };
            missing.extend(bank.missing(socket, sets)?);
        }
        let names = plan.sources.iter().map(|network| Sources::of(*network).name());
        missing.extend(
            names.filter(|name| !sets.contains(name)).map(|name| format!("{TABLE} has no set {name}")),
        );
    }
    Ok(missing)
}

/// What has to be made before the plans' elements can be added to `maps`; empty in the common case.
pub(super) fn ensure(socket: &Socket, sets: &[String], plans: &[Plan], maps: &[Map]) -> Result<Batch> {
    let mut batch = Batch::new();
    let mut ids = 1..;
    let mut id = || ids.next().unwrap_or(0);
    let from_scratch = !missing_chains(socket, sets)?.is_empty();
    if from_scratch {
        fixed(&mut batch);
        batch.extend(sets.iter().filter_map(|name| Sources::parse(name)).map(|set| set.rule(0)));
    }
    let is_new = |map: &Map| !sets.contains(&map.name());
    let known = layers(sets, &[]);
    if from_scratch || layers(sets, maps) != known {
        jumps(&mut batch, &layers(sets, maps));
    }
    if from_scratch || maps.iter().any(|map| map.is_plain() && is_new(map)) {
        plain(&mut batch, sets, maps, &mut id);
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
        let of_plan = |map: &&Map| map.ipv4 == plan.ipv4() && map.class == plan.class_name();
        let mut banks: Vec<Bank<'_>> = Vec::new();
        for map in maps.iter().filter(of_plan) {
            let bank = Bank::of(map, plan.class.as_ref());
            if !bank.is_plain() && !banks.iter().any(|known| known.layer == bank.layer) {
                banks.push(bank);
            }
        }
        for bank in banks {
            if maps.iter().any(|map| bank.has(map) && is_new(map)) || !bank.is_complete(socket, sets)? {
                bank.write(&mut batch, socket, sets, maps, &mut id)?;
            }
        }
    }
    Ok(batch)
}

/// The layers behind the first, of the maps that are there and of these.
fn layers(sets: &[String], maps: &[Map]) -> Vec<u8> {
    let all = Map::among(sets).map(|map| map.layer).chain(maps.iter().map(|map| map.layer));
    let mut layers: Vec<u8> = all.filter(|layer| *layer > 1).collect();
    layers.sort_unstable();
    layers.dedup();
    layers
}

/// Compares how many rules each chain has, with the jumps into it.
fn missing_chains(socket: &Socket, sets: &[String]) -> Result<Vec<String>> {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let sources = number(sets.iter().filter(|name| Sources::parse(name).is_some()).count());
    let plain = number(Map::among(sets).filter(|map| map.is_plain()).count());
    let later = number(layers(sets, &[]).len());
    let chains = [
        (PREROUTING, 1..=1),
        (OUTPUT, 1..=1),
        (HOSTPORTS, 5 + later..=5 + later),
        (PLAIN, 1 + plain..=1 + plain),
        (LOCALNET, 2..=2),
        (CONDITIONAL, 1..=u32::MAX),
        (POSTROUTING, sources..=sources),
    ];
    let requests: Vec<_> = chains.iter().map(|(chain, _)| chain.find()).collect();
    let mut missing = Vec::new();
    for ((chain, expected), answer) in chains.iter().zip(socket.ask(&requests)?) {
        match answer.as_deref().and_then(ChainState::read) {
            None => missing.push(format!("there is no chain {chain}")),
            Some(state) if !expected.contains(&state.uses) => {
                missing.push(format!("chain {chain} is not as it was made"));
            }
            Some(_) => {}
        }
    }
    Ok(missing)
}

/// The chains and rules without maps, from scratch.
fn fixed(batch: &mut Batch) {
    // After others' nat at the usual -100: what they translate more specifically is theirs (CVE-2019-9946).
    let nat = |number| Hook { kind: "nat", number, priority: -90 };
    batch.extend([
        TABLE.ensure(),
        PREROUTING.ensure_base(nat(0)),
        OUTPUT.ensure_base(nat(3)),
        POSTROUTING.ensure_base(Hook { kind: "nat", number: 4, priority: 100 }),
        LOCALNET.ensure_base(LOCALNET_HOOK),
        HOSTPORTS.ensure(None),
        CONDITIONAL.ensure(None),
        PLAIN.ensure(None),
    ]);
    batch.extend([PREROUTING, OUTPUT, POSTROUTING, LOCALNET].map(Chain::flush));
    for base in [PREROUTING, OUTPUT] {
        batch.push(Rule::append(base, &local(Verdict::Jump(HOSTPORTS.name)), None));
    }
    batch.extend([16, 12].map(|offset| Rule::append(LOCALNET, &loopback_from_outside(offset), None)));
}

/// Conditions first, then the layers in their order.
fn jumps(batch: &mut Batch, layers: &[u8]) {
    let later: Vec<String> = layers.iter().map(|layer| later(*layer)).collect();
    batch.extend(later.iter().map(|name| chain(name).ensure(None)));
    batch.extend([HOSTPORTS.flush(), Rule::append(HOSTPORTS, &not_from_loopback6(), None)]);
    let all = [CONDITIONAL.name, PLAIN.name].into_iter().chain(later.iter().map(String::as_str));
    batch.extend(all.map(|next| Rule::append(HOSTPORTS, &[Expr::verdict(Verdict::Jump(next))], None)));
}

/// The first layer's maps without conditions, and the rules that look into them. Maps of ranges, which kernels before
/// 5.6 have not, are made when there is a range.
fn plain(batch: &mut Batch, sets: &[String], maps: &[Map], id: &mut dyn FnMut() -> u32) {
    batch.push(PLAIN.flush());
    for map in [true, false].into_iter().flat_map(|ipv4| Map::all(ipv4, "", 1)) {
        if !map.ranges || maps.contains(&map) || sets.contains(&map.name()) {
            let id = id();
            batch.extend([map.ensure(id), Rule::append(PLAIN, &translation(&map, id, &[]), None)]);
        }
    }
}

/// Only the protection of 127.0.0.0/8, for mappings that iptables carries.
pub(super) fn ensure_localnet(socket: &Socket) -> Result<Batch> {
    let mut batch = Batch::new();
    if !has_localnet(socket)? {
        batch.extend([TABLE.ensure(), LOCALNET.ensure_base(LOCALNET_HOOK), LOCALNET.flush()]);
        batch.extend([16, 12].map(|offset| Rule::append(LOCALNET, &loopback_from_outside(offset), None)));
    }
    Ok(batch)
}

/// Whether 127.0.0.0/8 is protected.
pub(super) fn has_localnet(socket: &Socket) -> Result<bool> {
    let state = socket.ask(&[LOCALNET.find()])?.pop().flatten();
    Ok(state.as_deref().and_then(ChainState::read).is_some_and(|state| state.uses == 2))
}
