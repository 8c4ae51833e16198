//! The rules of legacy iptables, removed with its tools: one listing and one restore, and neither where the kernel
//! shows that there is no such chain.

use cni_filter::iptables::{Line, Listing, Script, legacy_holds, list, restore};
use cni_types::{Code, Family, Ordered, Result, Words};

use super::names::{DNAT, SNAT};
use crate::flows::Gone;
use crate::mapping::Protocol;

/// How often a removal that another one got in the way of is started over. Each time, someone else has succeeded.
const TRIES: u32 = 50;

pub(super) fn remove(family: Family, chains: &[String]) -> Result<Vec<Gone>> {
    settle(family, &|| chains.iter().any(|chain| legacy_holds(family, "nat", chain)), &|listing| {
        chains.iter().filter(|chain| listing.has_chain(chain)).cloned().collect()
    })
}

pub(super) fn collect(family: Family, start: &str, stale: &dyn Fn(&str, &str) -> bool) -> Result<Vec<Gone>> {
    settle(family, &|| legacy_holds(family, "nat", start), &|listing| {
        let entries = listing.rules().filter(|rule| rule.chain() == DNAT);
        let stale_chain = |rule: &Line| {
            let (chain, comment) = rule.target().zip(rule.option("--comment"))?;
            stale(chain, comment).then(|| chain.to_owned())
        };
        entries.filter_map(stale_chain).collect()
    })
}

/// Lists, chooses the chains that go, restores; again if the restore fails because the table is no longer what was
/// listed.
fn settle(
    family: Family,
    present: &dyn Fn() -> bool,
    choose: &dyn Fn(&Listing) -> Ordered,
) -> Result<Vec<Gone>> {
    let mut tries = TRIES;
    while present() {
        let listing = list(family, true, "nat")?;
        let going = choose(&listing);
        if going.is_empty() {
            break;
        }
        let mut script = Script::new("nat");
        for rule in listing.rules().filter(|rule| [DNAT, SNAT].contains(&rule.chain())) {
            if rule.target().is_some_and(|target| going.has(target)) {
                script.command(&rule.deletion());
            }
        }
        for chain in going.iter() {
            script.command(&["-F", chain]);
            script.command(&["-X", chain]);
        }
        match restore(family, true, &script) {
            Ok(()) => {
                let rules = listing.rules().filter(|rule| going.has(rule.chain()));
                return Ok(rules.filter_map(gone).collect());
            }
            Err(error) if error.code != Code::FILTER || tries == 0 => return Err(error),
            Err(_) => tries -= 1,
        }
    }
    Ok(Vec::new())
}

pub(super) fn gone(rule: &Line) -> Option<Gone> {
    let to: std::net::SocketAddr = rule.option("--to-destination")?.parse().ok()?;
    let protocol = Protocol::ALL.iter().copied().find(|p| Some(p.word()) == rule.option("-p"))?;
    Some(Gone { protocol: protocol as u8, ip: to.ip(), first: to.port(), last: to.port() })
}
