//! What of a nat table concerns one container: its chain, and the jumps to it.

use cni_types::{Cidr, Family, Result};

use super::names::{POSTROUTING, multicast};
use crate::Filter;
use crate::iptables::{Addresses, Line, Listing, Meaning, Variant};
use crate::nft::{Chain, Rule, Socket, Table};

/// One rule.
pub(super) struct SeenRule {
    /// Whether it is a jump to the chain from outside, else it is in the chain.
    pub(super) is_jump: bool,
    /// `None` for one that nobody of ours has written.
    meaning: Option<Meaning<'static>>,
}

impl SeenRule {
    /// `None` for a rule that does not concern the chain.
    pub(super) fn of_rule(rule: &Rule<'_>, chain: &str) -> Option<Self> {
        let is_jump = rule.chain == POSTROUTING && rule.target() == Some(chain);
        (is_jump || rule.chain == chain).then(|| Self { is_jump, meaning: Meaning::of_rule(rule) })
    }

    /// As [`Self::of_rule`].
    pub(super) fn of_line(line: &Line, chain: &str) -> Option<Self> {
        let is_jump = line.chain() == POSTROUTING && line.target() == Some(chain);
        let meaning = || Some(line.meaning()).filter(Meaning::is_known).map(Meaning::into_owned);
        (is_jump || line.chain() == chain).then(|| Self { is_jump, meaning: meaning() })
    }

    /// The source addresses: one, but for old releases of the reference, which have its network.
    pub(super) fn source(&self) -> Option<Addresses> {
        self.meaning.as_ref()?.addresses("-s")
    }

    /// The destinations that are not masqueraded.
    pub(super) fn accepted(&self) -> Option<Addresses> {
        let meaning = self.meaning.as_ref().filter(|_| !self.is_jump)?;
        meaning.target().filter(|target| *target == "ACCEPT").and_then(|_| meaning.addresses("-d"))
    }
}

/// The chain and the rules that concern it.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) chain: bool,
    entries: Vec<SeenRule>,
}

impl Seen {
    /// Looks at the table the host's iptables works on: natively, if that is one of nftables, and with the tool only
    /// where the kernel says that the chain is there.
    pub(super) fn look(filter: &Filter, family: Family, chain: &str) -> Result<Self> {
        match filter.find_chain(family, "nat", chain)? {
            Some(Variant::Nft) => {
                Self::native(filter.nftables()?, Chain { table: Table::iptables(family, "nat"), name: chain })
            }
            Some(_) => Ok(Self::listed(&*filter.list(family, "nat")?, chain)),
            None => Ok(Self::default()),
        }
    }

    fn native(socket: &Socket, chain: Chain<'_>) -> Result<Self> {
        let mut seen = Self { chain: true, entries: Vec::new() };
        for name in [chain.name, POSTROUTING] {
            let answers = socket.dump(&Rule::list(chain.table, Some(name)))?;
            let rules = answers.iter().filter_map(|answer| Rule::read(answer));
            seen.entries.extend(rules.filter_map(|rule| SeenRule::of_rule(&rule, chain.name)));
        }
        Ok(seen)
    }

    fn listed(listing: &Listing, chain: &str) -> Self {
        let entries = listing.rules().filter_map(|line| SeenRule::of_line(line, chain));
        Self { chain: listing.has_chain(chain), entries: entries.collect() }
    }

    pub(super) fn has_jump(&self, chain: &str, ip: Cidr) -> bool {
        self.has(true, &["-s", &ip.ip().to_string(), "-j", chain])
    }

    pub(super) fn has_accept(&self, ip: Cidr) -> bool {
        self.has(false, &["-d", &ip.to_string(), "-j", "ACCEPT"])
    }

    pub(super) fn has_masquerade(&self, family: Family) -> bool {
        self.has(false, &["!", "-d", multicast(family), "-j", "MASQUERADE"])
    }

    /// Whether a jump, or a rule of the chain, says this, whatever its comment.
    fn has(&self, is_jump: bool, words: &[&str]) -> bool {
        let wanted = Meaning::of_words(words.iter().copied());
        let does = |entry: &SeenRule| entry.meaning.as_ref().is_some_and(|meaning| meaning.does(&wanted));
        self.entries.iter().any(|entry| entry.is_jump == is_jump && does(entry))
    }
}
