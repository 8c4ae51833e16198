//! What is shared by all mappings of the host: chains, rules, and the maps they look into.

mod bank;

use std::rc::Rc;

use cni_filter::nft::{Batch, ByPrefix, Layout, Rule, Set, Socket};
use cni_types::{Family, Result, sort_and_dedup};

use super::map::Map;
use super::names::{SOURCES, TABLE, later};
use super::plan::Plan;
use bank::Bank;

/// A mapping is looked for in `conditional`, `plain` and the layers behind them, of what is sent to this host only
/// (CVE-2025-67499) and after others' nat at the usual -100: what they translate more specifically is theirs
/// (CVE-2019-9946). The kernel cannot send from ::1 to a container, so who asks there gets a refusal, not a time-out.
const LAYOUT: &str = "
table inet cni_portmap {
    $sets
    chain prerouting {
        type nat hook prerouting priority -90
        fib daddr type local jump hostports
    }
    chain output {
        type nat hook output priority -90
        fib daddr type local jump hostports
    }
    chain hostports {
        ip6 daddr ::1 return
        jump conditional
        jump plain
        $jumps
    }
    chain conditional { }
    chain plain {
        $plain
    }
    $later
    chain postrouting {
        type nat hook postrouting priority 100
        $sources
    }
    $localnet
}";
/// `route_localnet` must not let neighbours reach what listens on 127.0.0.1 (CVE-2020-8558), nor pretend to be there:
/// before connection tracking turns an answer's destination back into it.
const LOCALNET: &str = "
chain localnet {
    type filter hook prerouting priority -300
    iifname != \"lo\" ip daddr 127.0.0.0/8 drop
    iifname != \"lo\" ip saddr 127.0.0.0/8 drop
}";
/// What is masqueraded on its way to a container.
const SOURCE: &str = "meta nfproto ipv$version ct status dnat $ip daddr . $ip saddr $network $set masquerade";

/// The table with these maps and sets; the rules of conditions and of later layers are their owners'.
fn text(names: &[String]) -> String {
    let mut maps: Vec<Map> = Family::ALL
        .into_iter()
        .flat_map(|family| Map::all(family, "", 1))
        .filter(|map| !map.ranges)
        .collect();
    maps.extend(Map::among(names).filter(|map| !map.is_plain() || map.ranges));
    let sources: Vec<ByPrefix> = sources(names).collect();
    let sets = maps.iter().map(Map::declaration).chain(sources.iter().map(|set| set.declaration()));
    let in_order = Family::ALL.into_iter().flat_map(|family| Map::all(family, "", 1));
    let plain = in_order.filter(|map| maps.contains(map)).map(|map| map.rule(""));
    let chains = || layers(names).into_iter().map(later);
    let source = |set: &ByPrefix| set.rule(&SOURCE.replace("$version", &set.family.version().to_string()));
    let lines = |lines: &mut dyn Iterator<Item = String>| lines.collect::<Vec<_>>().join("\n");
    LAYOUT
        .replace("$sets", &lines(&mut sets.into_iter()))
        .replace("$jumps", &lines(&mut chains().map(|name| format!("jump {name}"))))
        .replace("$plain", &lines(&mut plain.into_iter()))
        .replace("$later", &lines(&mut chains().map(|name| format!("chain {name} {{ }}"))))
        .replace("$sources", &lines(&mut sources.iter().map(source)))
        .replace("$localnet", LOCALNET)
}

/// How the map or set of this name is declared, if it is one of the layout's.
pub fn declaration(name: &str) -> Option<String> {
    let sources = || ByPrefix::parse(SOURCES, name).map(ByPrefix::declaration);
    Map::parse(name).as_ref().map(Map::declaration).or_else(sources)
}

/// The sets of sources among the names of sets.
pub(super) fn sources(names: &[String]) -> impl Iterator<Item = ByPrefix> {
    names.iter().filter_map(|name| ByPrefix::parse(SOURCES, name))
}

/// The names of the maps and sets that are there.
pub(super) fn sets(socket: &Socket) -> Result<Vec<String>> {
    let answers = socket.dump(&Set::list(TABLE))?;
    Ok(answers.iter().filter_map(|answer| Set::read_name(answer).map(str::to_owned)).collect())
}

/// The rules of all chains.
fn list(socket: &Socket) -> Result<Rc<Vec<Vec<u8>>>> {
    Ok(socket.dump(&Rule::list(TABLE, None))?)
}

/// What is missing of the layout for these plans, in words; empty if nothing is.
pub(super) fn missing(socket: &Socket, sets: &[String], plans: &[Plan]) -> Result<Vec<String>> {
    let text = text(sets);
    let mut missing = socket.deviations(TABLE, &text)?.to_vec();
    for plan in plans {
        let banks = std::iter::once(1).chain(layers(sets));
        let banks = banks.map(|layer| Bank { family: plan.family(), class: plan.class.as_ref(), layer });
        for bank in banks.filter(|bank| !bank.is_plain()) {
            missing.extend(bank.deviation(&Layout::read(&text)?, &list(socket)?, sets)?);
        }
        let names = plan.sources.iter().map(|network| ByPrefix::of(SOURCES, *network).name());
        missing.extend(
            names.filter(|name| !sets.contains(name)).map(|name| format!("{TABLE} has no set {name}")),
        );
    }
    Ok(missing)
}

/// What has to be made before the plans' elements can be added to `maps`; empty in the common case.
pub(super) fn ensure(socket: &Socket, sets: &[String], plans: &[Plan], maps: &[Map]) -> Result<Batch> {
    let plan_of =
        |map: &Map| plans.iter().find(|plan| map.family == plan.family() && map.class == plan.class_name());
    let mut banks: Vec<Bank<'_>> = Vec::new();
    for map in maps {
        let bank = Bank::of(map, plan_of(map).and_then(|plan| plan.class.as_ref()));
        if !bank.is_plain() && !banks.contains(&bank) {
            banks.push(bank);
        }
    }
    let networks = plans.iter().flat_map(|plan| &plan.sources);
    let wanted = maps.iter().map(Map::name).chain(banks.iter().flat_map(Bank::single_ports));
    let wanted = wanted.chain(networks.map(|network| ByPrefix::of(SOURCES, *network).name()));
    let mut names = sets.to_vec();
    for name in wanted {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let text = text(&names);
    // A new set has a rule that is not there, but for those of conditions.
    let mut batch = socket.repair(TABLE, &text)?;
    if batch.is_empty() && (names.len() > sets.len() || !banks.is_empty()) {
        batch = Batch::of(Layout::read(&text)?.sets(sets));
    }
    for bank in banks {
        bank.repair(&Layout::read(&text)?, &mut batch, &list(socket)?, &names)?;
    }
    Ok(batch.share())
}

/// The layers behind the first, of these maps.
fn layers(names: &[String]) -> Vec<u8> {
    let mut layers: Vec<u8> = Map::among(names).map(|map| map.layer).filter(|layer| *layer > 1).collect();
    sort_and_dedup(&mut layers);
    layers
}

/// Only the protection of 127.0.0.0/8, for mappings that iptables carries: what there is to make.
pub(super) fn localnet(socket: &Socket) -> Result<Batch> {
    let text = format!("table inet {} {{ {LOCALNET} }}", TABLE.name);
    socket.repair(TABLE, &text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::Class;

    #[test]
    fn the_layout_is_what_nft_makes_of_its_text() {
        let maps = Family::ALL.into_iter().flat_map(|family| {
            let classes = ["", "12345678"].into_iter().flat_map(move |class| [1, 2].map(|n| (class, n)));
            classes.flat_map(move |(class, layer)| Map::all(family, class, layer))
        });
        let mut names: Vec<String> = maps.map(|map| map.name()).collect();
        names.extend(["sources4_24", "sources4_0", "sources6_64", "sources6_128"].map(str::to_owned));
        let words = [
            "ip saddr != 192.0.2.0/23 ip daddr { 10.0.0.1, 10.0.0.0/8 } meta mark != 7 iifname { \"br*\", lo }",
        ];
        let class = Class::read(&words.map(str::to_owned), Family::V4).unwrap().unwrap();
        let mut maps = Map::all(Family::V4, "12345678", 1).into_iter();
        let rules: Vec<String> =
            maps.by_ref().flat_map(|map| class.alternatives.iter().map(move |each| map.rule(each))).collect();
        assert_eq!(rules.len(), 16);
        for names in [&names[..], &[]] {
            let text = text(names);
            let rules = if names.is_empty() { &[][..] } else { &rules };
            let add = rules
                .iter()
                .map(|rule| format!("\nadd rule inet cni_portmap conditional {rule} comment \"x\""));
            cni_tests::assert_as_nft_makes_it(&format!("{text}{}", add.collect::<String>()), |_| {
                let layout = Layout::read(&text).unwrap();
                let mut batch = Batch::new();
                batch.extend(layout.make());
                let rule = |rule| layout.rule("conditional", &format!("{rule} comment \"x\"")).unwrap();
                batch.extend(rules.iter().map(rule));
                Socket::open().unwrap().commit(&batch, None).unwrap();
            });
        }
    }
}
