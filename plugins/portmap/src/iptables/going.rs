//! What has to go so that an attachment gets its ports: chains of containers that are gone, chains that lead to an
//! address which is the attachment's now, and what it had of an ADD before this one.

use std::net::IpAddr;

use cni_filter::iptables::{Line, Listing, Script};
use cni_filter::nft::{Chain, Socket, Table};
use cni_types::Result;

use super::holder::Holder;
use super::names::{CHAIN, DNAT};
use super::rules::{Jump, Rules};
use crate::claim::{Claimant, Standing};
use crate::flows::Gone;

/// Chains, and what leads to them.
#[derive(Default)]
pub(super) struct Going {
    chains: Vec<String>,
    /// The commands that delete the rules which lead there, and entries of the attachment that are not wanted any more.
    entries: Vec<Vec<String>>,
    /// Where the chains led.
    pub(super) gone: Vec<Gone>,
    /// The owners that are gone.
    pub(super) yielded: Vec<String>,
}

impl Going {
    /// Of those who hold a port, and of those who claim the address.
    ///
    /// # Errors
    /// Code 11 naming a living holder.
    pub(super) fn new(holders: Vec<Holder>, claimant: &Claimant<'_>, target: IpAddr) -> Result<Self> {
        let displaced = claimant.displaced.iter().filter(|claim| claim.addresses.contains(&target));
        let mut going = Self {
            chains: displaced.map(|claim| format!("{CHAIN}{}", claim.chain)).collect(),
            ..Self::default()
        };
        for holder in holders {
            if going.chains.contains(&holder.chain) {
                continue;
            }
            let hash = holder.chain.strip_prefix(CHAIN).unwrap_or_default();
            let owner = claimant.claims.owner_of_chain(hash).unwrap_or_default();
            match claimant.claims.standing(claimant.id, owner, &holder.container_id) {
                Standing::Sibling => {}
                Standing::Living => return Err(holder.error),
                Standing::Gone => {
                    going.yielded.push(owner.to_owned());
                    going.chains.push(holder.chain);
                }
            }
        }
        Ok(going)
    }

    /// Whether the kernel has any of the chains.
    pub(super) fn is_there(&self, socket: &Socket, table: Table<'_>) -> Result<bool> {
        let find: Vec<_> = self.chains.iter().map(|name| Chain { table, name }.find()).collect();
        Ok(!find.is_empty() && socket.ask(&find)?.iter().any(Option::is_some))
    }

    /// Those that are there, with what leads to them and what the attachment itself does not want any more.
    pub(super) fn of_listing(mut self, listing: &Listing, rules: &Rules) -> Self {
        self.chains.retain(|chain| listing.has_chain(chain));
        let find = |entry: &Jump| entry.find(listing, &rules.chain, &rules.comment);
        let mut wanted: Vec<&Line> = rules.entries.iter().filter_map(find).flatten().collect();
        for line in listing.rules().filter(|line| line.chain() == DNAT) {
            let target = line.target().unwrap_or_default();
            let is_surplus = target == rules.chain && {
                let kept = wanted.iter().position(|wanted| *wanted == line);
                kept.map(|at| wanted.remove(at)).is_none()
            };
            if is_surplus || self.chains.iter().any(|chain| chain == target) {
                self.entries.push(line.deletion().into_iter().map(str::to_owned).collect());
            }
        }
        let goes = |line: &&Line| {
            line.chain() == rules.chain || self.chains.iter().any(|chain| chain == line.chain())
        };
        self.gone = listing.rules().filter(goes).filter_map(super::legacy::gone).collect();
        self.gone.retain(|gone| !rules.lead_to(gone));
        self
    }

    /// What leads there goes first.
    pub(super) fn write(&self, script: &mut Script) {
        for entry in &self.entries {
            script.owned_command(entry);
        }
        for chain in &self.chains {
            script.command(&["-F", chain]);
            script.command(&["-X", chain]);
        }
    }
}
