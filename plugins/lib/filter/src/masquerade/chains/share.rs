//! Which of the entries of a container are one attachment's.

use std::net::IpAddr;

use cni_types::{AttachmentId, Result};

use super::seen::SeenRule;
use crate::given::Given;
use crate::iptables::Addresses;

/// An attachment's share of the container's chain and of the jumps to it, told by addresses.
pub(super) struct Share {
    own: Vec<IpAddr>,
    others: Vec<IpAddr>,
    /// Whether what nobody has on record is its own, too.
    rest: bool,
}

/// What goes with a share.
pub(super) struct Going {
    /// For each entry that was looked at, whether it goes.
    pub(super) entries: Vec<bool>,
    /// Whether nothing leads to the chain any more.
    pub(super) chain: bool,
}

impl Share {
    /// What is on record as the attachment's, and what `hints` name and nobody else has; without either, all that is
    /// not on record as another one's.
    pub(super) fn of(given: &Given, id: &AttachmentId, hints: &[IpAddr]) -> Result<Self> {
        let known = given.find(id)?;
        let rest = known.is_none() && hints.is_empty();
        let mut own = known.unwrap_or_default();
        own.extend(hints);
        Ok(Self { own, others: given.of_others(id)?, rest })
    }

    /// These addresses.
    pub(super) fn only(own: Vec<IpAddr>) -> Self {
        Self { own, others: Vec::new(), rest: false }
    }

    /// What goes of these entries: jumps whose source is in the share, and with the last of them the chain; before
    /// that, what the chain accepts for a network that no other jump's address is in.
    pub(super) fn going(&self, entries: &[SeenRule]) -> Going {
        let kept: Vec<Option<Addresses>> =
            entries.iter().filter(|entry| self.keeps(entry)).map(SeenRule::source).collect();
        let is_used = |entry: &SeenRule| {
            let Some(accepted) = entry.accepted() else { return true };
            kept.iter().any(|source| source.is_none_or(|source| accepted.overlaps(source)))
        };
        let goes = |entry: &SeenRule| if entry.is_jump { !self.keeps(entry) } else { !is_used(entry) };
        Going { entries: entries.iter().map(goes).collect(), chain: kept.is_empty() }
    }

    /// Whether it is a jump of somebody else's.
    fn keeps(&self, entry: &SeenRule) -> bool {
        let has = |ips: &[IpAddr], source: Addresses| ips.iter().any(|&ip| source.contains(ip));
        let is_own = |source| !has(&self.others, source) && (self.rest || has(&self.own, source));
        entry.is_jump && !entry.source().map_or(self.rest, is_own)
    }
}
