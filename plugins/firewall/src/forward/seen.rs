//! What of the iptables `filter` table concerns us, as the kernel or `iptables-save` tells it.

use std::rc::Rc;

use cni_types::{Family, Result};

use super::rules::{ACCEPTS, FORWARD, NeededRule, STAGE_1, STAGE_2};
use cni_filter::Filter;
use cni_filter::iptables::{Line, Listing, Meaning, Tool, Variant};
use cni_filter::nft::{Chain, Rule, Socket, Table};

/// The table.
pub(super) const FILTER: &str = "filter";

/// The chains that are there, and those of their rules that could be ours.
#[derive(Debug, Default)]
pub(super) struct Seen {
    chains: Vec<String>,
    rules: Vec<(String, Meaning<'static>)>,
}

impl Seen {
    /// Looks at the table the host's iptables works on; natively, if that is one of nftables.
    pub(super) fn look(filter: &Filter, family: Family, admin: &str) -> Result<Rc<Self>> {
        let what = format!("firewall of {} with {admin}", Tool::command(family));
        filter.look(&what, || Self::look_at_all(filter, family, admin))
    }

    fn look_at_all(filter: &Filter, family: Family, admin: &str) -> Result<Self> {
        let tool = Tool::find(family, "restore", false)?;
        match filter.nftables_if_present()?.filter(|_| tool.variant() == Variant::Nft) {
            Some(socket) => Self::native(socket, family, admin),
            None => Ok(Self::listed(&*filter.list(family, FILTER)?)),
        }
    }

    fn native(socket: &Socket, family: Family, admin: &str) -> Result<Self> {
        let table = Table::iptables(family, FILTER);
        let names = [FORWARD, ACCEPTS, admin, STAGE_1, STAGE_2];
        let answers = socket.ask(&names.map(|name| Chain { table, name }.find()))?;
        let mut seen = Self::default();
        for (name, _) in names.iter().zip(answers).filter(|(_, answer)| answer.is_some()) {
            seen.chains.push((*name).to_owned());
            // What the administrator has in there is no concern of ours.
            if *name == admin {
                continue;
            }
            for answer in socket.dump(&Rule::list(table, Some(name)))?.iter() {
                let rule = Rule::read(answer).and_then(|rule| Meaning::of_rule(&rule));
                seen.rules.extend(rule.map(|rule| ((*name).to_owned(), rule)));
            }
        }
        Ok(seen)
    }

    fn listed(listing: &Listing) -> Self {
        let rule = |line: &Line| (line.chain().to_owned(), line.meaning().into_owned());
        Self {
            chains: listing.chains().map(str::to_owned).collect(),
            rules: listing.rules().map(rule).collect(),
        }
    }

    pub(super) fn has_chain(&self, name: &str) -> bool {
        self.chains.iter().any(|chain| chain == name)
    }

    pub(super) fn has(&self, wanted: &NeededRule) -> bool {
        self.rules.iter().any(|(chain, rule)| chain == wanted.chain && wanted.is(rule))
    }

    /// The jumps from the built-in chain into the isolation, when they are not in front of the accepting chain: there
    /// they would isolate nobody. With `accept`, a jump to that chain that is not there yet is about to be inserted in
    /// front of all.
    pub(super) fn late_isolation(&self, accept: bool) -> Vec<&Meaning<'static>> {
        let jumps = |to: &'static str| {
            let rules = self.rules.iter().filter(|(chain, _)| chain == FORWARD).enumerate();
            rules.filter(move |(_, (_, rule))| rule.target() == Some(to))
        };
        let first = jumps(ACCEPTS).map(|(at, _)| at).next();
        let isolating: Vec<_> = jumps(STAGE_1).map(|(at, (_, rule))| (at, rule)).collect();
        let late = isolating.first().is_some_and(|(at, _)| first.map_or(accept, |first| first < *at));
        if late { isolating.into_iter().map(|(_, rule)| rule).collect() } else { Vec::new() }
    }
}
