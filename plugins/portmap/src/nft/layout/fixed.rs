//! The chains that are ours alone, with their rules: all but those of conditions and of later layers.

use cni_filter::nft::{Batch, Chain, Expr, Hook, Request, Rule, Socket, Verdict};
use cni_types::{Family, Result};

use super::expressions::{local, loopback_from_outside, not_from_loopback6, translation};
use super::{
    CONDITIONAL, HOSTPORTS, LOCALNET, LOCALNET_HOOK, OUTPUT, PLAIN, PREROUTING, chain, later, layers,
};
use crate::nft::map::Map;
use crate::nft::source::Sources;
use crate::nft::{POSTROUTING, TABLE};

/// How the chains differ from what they are to be for the maps and sets that are there, in words.
pub(super) fn deviations(listed: &[Vec<u8>], sets: &[String]) -> Vec<String> {
    let sources = sets.iter().filter_map(|name| Sources::parse(name)).map(|set| set.rule(0)).collect();
    let plain = plain_maps(sets, &[]).map(|map| plain_rule(&map, 0)).collect();
    let chains: [(Chain<'_>, Vec<Request>); 6] = [
        (PREROUTING, vec![entry(PREROUTING)]),
        (OUTPUT, vec![entry(OUTPUT)]),
        (HOSTPORTS, hostports(&layers(sets, &[]))),
        (PLAIN, plain),
        (LOCALNET, localnet()),
        (POSTROUTING, sources),
    ];
    let each = chains.into_iter();
    each.filter_map(|(chain, written)| Rule::deviation(chain, listed, &written)).collect()
}

/// The chains, and the rules without maps, from scratch.
pub(super) fn make(batch: &mut Batch) {
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
    batch.extend([PREROUTING, OUTPUT].map(entry));
    batch.extend(localnet());
}

fn entry(base: Chain<'_>) -> Request {
    Rule::append(base, &local(Verdict::Jump(HOSTPORTS.name)), None)
}

/// Makes the chains of the layers, and the jumps to all.
pub(super) fn jumps(batch: &mut Batch, layers: &[u8]) {
    batch.extend(layers.iter().map(|layer| chain(&later(*layer)).ensure(None)));
    batch.push(HOSTPORTS.flush());
    batch.extend(hostports(layers));
}

/// Conditions first, then the layers in their order.
fn hostports(layers: &[u8]) -> Vec<Request> {
    let names = [CONDITIONAL.name, PLAIN.name].map(str::to_owned).into_iter();
    let jumps = names.chain(layers.iter().map(|layer| later(*layer)));
    let jumps = jumps.map(|name| vec![Expr::verdict(Verdict::Jump(&name))]);
    let all = std::iter::once(not_from_loopback6()).chain(jumps);
    all.map(|expressions| Rule::append(HOSTPORTS, &expressions, None)).collect()
}

/// Makes the first layer's maps without conditions, and the rules that look into them.
pub(super) fn plain(batch: &mut Batch, sets: &[String], maps: &[Map], id: &mut dyn FnMut() -> u32) {
    batch.push(PLAIN.flush());
    for map in plain_maps(sets, maps) {
        let id = id();
        batch.extend([map.ensure(id), plain_rule(&map, id)]);
    }
}

/// Maps of ranges, which kernels before 5.6 have not, are made when there is a range.
fn plain_maps<'a>(sets: &'a [String], maps: &'a [Map]) -> impl Iterator<Item = Map> + use<'a> {
    let all = Family::ALL.into_iter().flat_map(|family| Map::all(family, "", 1));
    all.filter(|map| !map.ranges || maps.contains(map) || sets.contains(&map.name()))
}

fn plain_rule(map: &Map, id: u32) -> Request {
    Rule::append(PLAIN, &translation(map, id, &[]), None)
}

fn localnet() -> Vec<Request> {
    [16, 12].map(|offset| Rule::append(LOCALNET, &loopback_from_outside(offset), None)).into()
}

/// Only the protection of 127.0.0.0/8, for mappings that iptables carries.
pub(in super::super) fn ensure_localnet(socket: &Socket) -> Result<Batch> {
    let mut batch = Batch::new();
    if !has_localnet(socket)? {
        batch.extend([TABLE.ensure(), LOCALNET.ensure_base(LOCALNET_HOOK), LOCALNET.flush()]);
        batch.extend(localnet());
    }
    Ok(batch)
}

/// Whether 127.0.0.0/8 is protected.
pub(in super::super) fn has_localnet(socket: &Socket) -> Result<bool> {
    let listed = socket.dump(&Rule::list(TABLE, Some(LOCALNET.name)))?;
    Ok(Rule::deviation(LOCALNET, &listed, &localnet()).is_none())
}
