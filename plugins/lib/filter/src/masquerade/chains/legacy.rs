//! The chains of legacy iptables, removed with its tools: one listing and one restore, and neither where the kernel
//! shows that there is no such chain.

use cni_types::{Code, Family, Ordered, Result};

use super::names::POSTROUTING;
use super::seen::SeenRule;
use super::share::Share;
use crate::iptables::{Line, Listing, Script, legacy_holds, list, restore};

/// How often a removal that another one got in the way of is started over. Each time, someone else has succeeded.
const TRIES: u32 = 50;

pub(super) fn remove(family: Family, chain: &str, share: &Share) -> Result<()> {
    settle(family, &|| legacy_holds(family, "nat", chain), &|listing| {
        let mut script = Script::new("nat");
        if !listing.has_chain(chain) {
            return script;
        }
        let found = listing.rules().filter_map(|line| Some((SeenRule::of_line(line, chain)?, line)));
        let (entries, lines): (Vec<SeenRule>, Vec<&Line>) = found.unzip();
        let going = share.going(&entries);
        for ((line, entry), _) in lines.iter().zip(&entries).zip(&going.entries).filter(|(_, goes)| **goes) {
            if entry.is_jump || !going.chain {
                script.command(&line.deletion());
            }
        }
        if going.chain {
            delete_chain(&mut script, chain);
        }
        script
    })
}

/// As the native one; `starts` are what the comments start with, to be looked for before a tool is run, which lists
/// whole tables.
pub(super) fn collect(
    family: Family,
    starts: &[String],
    candidate: &dyn Fn(&str) -> bool,
    stale: &dyn Fn(&str) -> bool,
) -> Result<()> {
    settle(family, &|| starts.iter().any(|start| legacy_holds(family, "nat", start)), &|listing| {
        let stale_chain = |rule: &Line| {
            let chain = if rule.chain() == POSTROUTING { rule.target()? } else { rule.chain() };
            (candidate(chain) && stale(rule.option("--comment")?)).then(|| chain.to_owned())
        };
        let going: Ordered = listing.rules().filter_map(stale_chain).collect();
        let mut script = Script::new("nat");
        for rule in jumps(listing) {
            if rule.target().is_some_and(|target| going.has(target)) {
                script.command(&rule.deletion());
            }
        }
        for chain in going.iter() {
            delete_chain(&mut script, chain);
        }
        script
    })
}

/// Lists, decides, restores; again if the restore fails because the table is no longer what was listed.
fn settle(family: Family, present: &dyn Fn() -> bool, decide: &dyn Fn(&Listing) -> Script) -> Result<()> {
    let mut tries = TRIES;
    while present() {
        let script = decide(&list(family, true, "nat")?);
        if script.is_empty() {
            break;
        }
        match restore(family, true, &script) {
            Ok(()) => break,
            Err(error) if error.code != Code::FILTER || tries == 0 => return Err(error),
            Err(_) => tries -= 1,
        }
    }
    Ok(())
}

fn jumps(listing: &Listing) -> impl Iterator<Item = &Line> {
    listing.rules().filter(|rule| rule.chain() == POSTROUTING)
}

fn delete_chain(script: &mut Script, chain: &str) {
    script.command(&["-F", chain]);
    script.command(&["-X", chain]);
}
