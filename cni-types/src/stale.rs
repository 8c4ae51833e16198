//! GC's question about a thing on the host: is its owner still valid?

use std::sync::OnceLock;

use crate::attachment::{AttachmentId, HASH, network_tag_prefix};
use crate::name::NetworkName;
use crate::order::Ordered;

/// The owners that are of one network, but none of its valid attachments.
#[derive(Debug, Clone)]
pub struct Stale<'a> {
    /// Whose attachments are asked about.
    pub network: &'a NetworkName,
    /// Those of them that are in use.
    pub valid: &'a [AttachmentId],
    network_start: String,
    /// The hashes of the valid; made when somebody is asked about, since a node may have a hundred thousand.
    valid_owners: OnceLock<Ordered>,
}

impl<'a> Stale<'a> {
    /// Those of `network` outside `valid`.
    pub fn new(network: &'a NetworkName, valid: &'a [AttachmentId]) -> Self {
        Self {
            network,
            valid,
            network_start: format!("{}-", network_tag_prefix(network)),
            valid_owners: OnceLock::new(),
        }
    }

    /// Those of `network`, all of them.
    pub fn all(network: &'a NetworkName) -> Self {
        Self::new(network, &[])
    }

    /// Whether `owner`, an [`AttachmentId::tag`] or what it starts with, is one of them. Anything else is not ours.
    pub fn includes(&self, owner: &str) -> bool {
        let Some(whose) = owner.strip_prefix(&self.network_start) else { return false };
        !whose.get(..HASH).is_some_and(|whose| self.valid_owners().has(whose))
    }

    fn valid_owners(&self) -> &Ordered {
        self.valid_owners.get_or_init(|| {
            let valid = self.valid.iter().filter(|id| id.network == *self.network);
            valid.map(AttachmentId::owner_digits).collect()
        })
    }
}
