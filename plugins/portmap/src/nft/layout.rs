//! What is shared by all mappings of the host: chains, rules, and the maps they look into.

mod bank;
mod expressions;
mod fixed;

use cni_filter::nft::{Batch, Chain, Hook, Rule, Set, Socket};
use cni_types::Result;

use super::map::Map;
use super::source::Sources;
use super::{Plan, TABLE};
use bank::Bank;
pub(super) use fixed::{ensure_localnet, has_localnet};

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

/// The rules of all chains.
fn list(socket: &Socket) -> Result<Vec<Vec<u8>>> {
    Ok(socket.dump(&Rule::list(TABLE, None))?)
}

/// What is missing of the layout for these plans, in words; empty if nothing is.
pub(super) fn missing(socket: &Socket, sets: &[String], plans: &[Plan]) -> Result<Vec<String>> {
    let listed = list(socket)?;
    let mut missing = fixed::deviations(&listed, sets);
    for plan in plans {
        for layer in std::iter::once(1).chain(layers(sets, &[])) {
            let bank = Bank { family: plan.family(), class: plan.class.as_ref(), layer };
            missing.extend(bank.missing(&listed, sets));
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
    let listed = list(socket)?;
    let from_scratch = !fixed::deviations(&listed, sets).is_empty();
    if from_scratch {
        fixed::make(&mut batch);
        batch.extend(sets.iter().filter_map(|name| Sources::parse(name)).map(|set| set.rule(0)));
    }
    let is_new = |map: &Map| !sets.contains(&map.name());
    let known = layers(sets, &[]);
    if from_scratch || layers(sets, maps) != known {
        fixed::jumps(&mut batch, &layers(sets, maps));
    }
    if from_scratch || maps.iter().any(|map| map.is_plain() && is_new(map)) {
        fixed::plain(&mut batch, sets, maps, &mut id);
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
        let of_plan = |map: &&Map| map.family == plan.family() && map.class == plan.class_name();
        let mut banks: Vec<Bank<'_>> = Vec::new();
        for map in maps.iter().filter(of_plan) {
            let bank = Bank::of(map, plan.class.as_ref());
            if !bank.is_plain() && !banks.iter().any(|known| known.layer == bank.layer) {
                banks.push(bank);
            }
        }
        for bank in banks {
            if maps.iter().any(|map| bank.has(map) && is_new(map)) || !bank.is_complete(&listed, sets) {
                bank.write(&mut batch, &listed, sets, maps, &mut id);
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
