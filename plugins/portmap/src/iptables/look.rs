//! What of the rules is there already.

use cni_filter::Filter;
use cni_filter::iptables::{Line, Listing, Meaning, Variant};
use cni_types::{Family, Result};

use super::going::Going;
use super::holder;
use super::names::{DNAT, MASQ, OF_THE_HOST, SET_MARK};
use super::rules::Rules;
use crate::claim::Claimant;

/// One look at a nat table.
pub(super) struct Look {
    pub(super) set_mark: Shared,
    pub(super) masq: Shared,
    pub(super) dnat_chain: bool,
    pub(super) masq_entry: bool,
    /// From PREROUTING and OUTPUT to the DNAT chain.
    pub(super) dnat_entries: [bool; 2],
    pub(super) container_chain: bool,
    /// Which of the container's rules, and of the entries, are there.
    pub(super) container: Vec<bool>,
    pub(super) entries: Vec<bool>,
    /// Whether the container's chain holds these rules in this order and no other.
    pub(super) is_exact: bool,
    /// Chains and entries that have to go.
    pub(super) going: Going,
}

/// A shared chain and the rule in it.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) chain: bool,
    pub(super) rule: bool,
}

impl Look {
    /// With iptables-nft the kernel is asked, unless what it says would have to be compared in iptables's words: then,
    /// and with other variants, the table is listed by the tool.
    ///
    /// # Errors
    /// Code 11 naming a living holder of a port, code 101 when kernel or tool refuse to say.
    pub(super) fn take(
        filter: &Filter,
        family: Family,
        variant: Variant,
        rules: &Rules,
        claimant: &Claimant<'_>,
    ) -> Result<Self> {
        if variant == Variant::Nft {
            if let Some(look) = Self::of_kernel(filter.nftables()?, family, rules, claimant)? {
                return Ok(look);
            }
        }
        let listing = filter.list(family, "nat")?;
        let going = Going::new(holder::in_listing(&listing, rules), claimant, rules.target)?;
        Ok(Self { going: going.of_listing(&listing, rules), ..Self::of_listing(&listing, rules) })
    }

    pub(super) fn of_listing(listing: &Listing, rules: &Rules) -> Self {
        let mark = rules.mark.map(|mark| format!("0x{mark:x}/0x{mark:x}")).unwrap_or_default();
        let shared =
            |chain, words| Shared { chain: listing.has_chain(chain), rule: listing.does(chain, words) };
        let of_container = listing.rules().filter(|line| line.chain() == rules.chain);
        let of_container: Vec<Meaning<'_>> = of_container.map(Line::meaning).collect();
        let words: Vec<_> = rules.container.iter().map(|rule| rule.words(&rules.chain)).collect();
        let wanted = words.iter().map(|words| Meaning::of_words(words.iter().skip(2).map(String::as_str)));
        let wanted: Vec<Meaning<'_>> = wanted.collect();
        Self {
            set_mark: shared(SET_MARK, &["-j", "MARK", "--set-xmark", &mark]),
            masq: shared(MASQ, &["--mark", &mark, "-j", "MASQUERADE"]),
            dnat_chain: listing.has_chain(DNAT),
            masq_entry: listing.does("POSTROUTING", &["-j", MASQ]),
            dnat_entries: ["PREROUTING", "OUTPUT"].map(|from| listing.does(from, &OF_THE_HOST)),
            container_chain: listing.has_chain(&rules.chain),
            container: wanted.iter().map(|rule| of_container.iter().any(|found| found.is(rule))).collect(),
            entries: rules
                .entries
                .iter()
                .map(|entry| entry.find(listing, &rules.chain, &rules.comment).is_some())
                .collect(),
            is_exact: of_container.len() == wanted.len()
                && of_container.iter().zip(&wanted).all(|(found, rule)| found.is(rule)),
            going: Going::default(),
        }
    }

    /// Of a table that has none of it.
    pub(super) fn nothing(rules: &Rules) -> Self {
        Self {
            set_mark: Shared::default(),
            masq: Shared::default(),
            dnat_chain: false,
            masq_entry: false,
            dnat_entries: [false; 2],
            container_chain: false,
            container: vec![false; rules.container.len()],
            entries: vec![false; rules.entries.len()],
            is_exact: false,
            going: Going::default(),
        }
    }
}
