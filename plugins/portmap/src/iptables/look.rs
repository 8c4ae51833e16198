//! What of the rules is there already.

use cni_filter::Filter;
use cni_filter::iptables::{Listing, Protocol as Family, Script, Variant, list};
use cni_filter::nft::{Chain, Rule as NftRule, Socket};
use cni_types::{Error, Result};

use super::rules::Rules;
use super::{DNAT, MASQ, SET_MARK, holder};

/// One look at a nat table.
pub(super) struct Look {
    set_mark: Shared,
    masq: Shared,
    dnat_chain: bool,
    masq_entry: bool,
    /// From PREROUTING and OUTPUT to the DNAT chain.
    dnat_entries: [bool; 2],
    container_chain: bool,
    /// Which of the container's rules, and of the entries, are there.
    container: Vec<bool>,
    entries: Vec<bool>,
    /// The error about a port that somebody else holds.
    pub(super) holder: Option<Error>,
}

/// A shared chain and the rule in it.
#[derive(Default)]
struct Shared {
    chain: bool,
    rule: bool,
}

impl Look {
    /// With iptables-nft the kernel is asked, unless what it says would have to be compared in iptables's words: then,
    /// and with other variants, the table is listed by the tool.
    pub(super) fn take(filter: &Filter, family: Family, variant: Variant, rules: &Rules) -> Result<Self> {
        if variant == Variant::Nft {
            if let Some(look) = Self::of_kernel(filter.nftables()?, family, rules)? {
                return Ok(look);
            }
        }
        Ok(Self::of_listing(&list(family, false, "nat")?, rules))
    }

    pub(super) fn of_listing(listing: &Listing, rules: &Rules) -> Self {
        let jump =
            |from: &str, to: &str| listing.rules().any(|l| l.chain() == from && l.target() == Some(to));
        let mark = rules.mark.map(|mark| format!("0x{mark:x}/0x{mark:x}")).unwrap_or_default();
        let marked = |chain: &str, target: &str, option: &str| Shared {
            chain: listing.has_chain(chain),
            rule: listing.rules().any(|l| {
                l.chain() == chain && l.target() == Some(target) && l.option(option) == Some(mark.as_str())
            }),
        };
        let has = |is: &dyn Fn(&cni_filter::iptables::Line) -> bool| listing.rules().any(is);
        Self {
            set_mark: marked(SET_MARK, "MARK", "--set-xmark"),
            masq: marked(MASQ, "MASQUERADE", "--mark"),
            dnat_chain: listing.has_chain(DNAT),
            masq_entry: jump("POSTROUTING", MASQ),
            dnat_entries: ["PREROUTING", "OUTPUT"].map(|from| jump(from, DNAT)),
            container_chain: listing.has_chain(&rules.chain),
            container: rules.container.iter().map(|rule| has(&|l| rule.is(l, &rules.chain))).collect(),
            entries: rules.entries.iter().map(|e| has(&|l| e.is(l, &rules.chain, &rules.comment))).collect(),
            holder: holder::in_listing(listing, rules),
        }
    }

    /// `None` when the kernel's words do not tell.
    fn of_kernel(socket: &Socket, family: Family, rules: &Rules) -> Result<Option<Self>> {
        let table = family.nft_nat();
        let find = |name| Chain { table, name }.find();
        let found = socket.ask(&[find(SET_MARK), find(MASQ), find(DNAT), find(&rules.chain)])?;
        let [set_mark, masq, dnat_chain, container_chain] = [0, 1, 2, 3].map(|at| found[at].is_some());
        if container_chain {
            return Ok(None);
        }
        let rules_of = |chain: &str| socket.dump(&NftRule::list(table, Some(chain)));
        let jumps = |from: &str, to: &str| -> Result<bool> {
            let answers = rules_of(from)?;
            Ok(answers
                .iter()
                .filter_map(|answer| NftRule::read(answer))
                .any(|rule| rule.target() == Some(to)))
        };
        let mut shared = [Shared { chain: set_mark, rule: false }, Shared { chain: masq, rule: false }];
        let mut masq_entry = false;
        if let Some(mark) = rules.mark {
            let told = |rule: &NftRule<'_>, which: usize| {
                rule.expressions().any(|expr| match which {
                    0 => {
                        expr.xt_target() == Some(("MARK", &[mark.to_ne_bytes(), mark.to_ne_bytes()].concat()))
                    }
                    _ => expr.equals() == Some(&mark.to_ne_bytes()),
                })
            };
            for (which, chain) in [SET_MARK, MASQ].into_iter().enumerate() {
                if shared[which].chain {
                    let answers = rules_of(chain)?;
                    let is_there =
                        answers.iter().filter_map(|a| NftRule::read(a)).any(|rule| told(&rule, which));
                    if !is_there {
                        return Ok(None);
                    }
                    shared[which].rule = true;
                }
            }
            masq_entry = masq && jumps("POSTROUTING", MASQ)?;
        }
        let [set_mark, masq] = shared;
        Ok(Some(Self {
            set_mark,
            masq,
            dnat_chain,
            masq_entry,
            dnat_entries: if dnat_chain {
                [jumps("PREROUTING", DNAT)?, jumps("OUTPUT", DNAT)?]
            } else {
                [false; 2]
            },
            container_chain,
            container: vec![false; rules.container.len()],
            entries: vec![false; rules.entries.len()],
            holder: if dnat_chain { holder::in_kernel(socket, table, rules)? } else { None },
        }))
    }

    /// The script that makes what is missing: chains and rules first, what leads to them last. `-N` and not `:`, which
    /// would empty a chain that another ADD has just made.
    pub(super) fn addition(&self, rules: &Rules) -> Script {
        let mut script = Script::new("nat");
        if let Some(mark) = rules.mark {
            let mark = format!("0x{mark:x}/0x{mark:x}");
            if !self.set_mark.chain {
                script.command(&["-N", SET_MARK]);
            }
            if !self.set_mark.rule {
                let comment = "CNI portfwd masquerade mark";
                script.command(&[
                    "-A",
                    SET_MARK,
                    "-m",
                    "comment",
                    "--comment",
                    comment,
                    "-j",
                    "MARK",
                    "--set-xmark",
                    &mark,
                ]);
            }
            if !self.masq.chain {
                script.command(&["-N", MASQ]);
            }
            if !self.masq.rule {
                script.command(&["-A", MASQ, "-m", "mark", "--mark", &mark, "-j", "MASQUERADE"]);
            }
            if !self.masq_entry {
                let comment = "CNI portfwd requiring masquerade";
                script.command(&["-I", "POSTROUTING", "-m", "comment", "--comment", comment, "-j", MASQ]);
            }
        }
        if !self.dnat_chain {
            script.command(&["-N", DNAT]);
        }
        for (from, _) in ["PREROUTING", "OUTPUT"].iter().zip(self.dnat_entries).filter(|(_, there)| !there) {
            script.command(&["-A", from, "-m", "addrtype", "--dst-type", "LOCAL", "-j", DNAT]);
        }
        if !self.container_chain {
            script.command(&["-N", &rules.chain]);
        }
        let missing = rules.container.iter().zip(&self.container).filter(|(_, there)| !**there);
        for (rule, _) in missing {
            command(&mut script, &rule.words(&rules.chain));
        }
        for (entry, _) in rules.entries.iter().zip(&self.entries).filter(|(_, there)| !**there) {
            command(&mut script, &entry.words(&rules.chain, &rules.comment));
        }
        script
    }
}

fn command(script: &mut Script, words: &[String]) {
    script.command(&words.iter().map(String::as_str).collect::<Vec<_>>());
}
