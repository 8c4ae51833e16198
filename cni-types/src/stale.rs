//! GC's question about a thing on the host: is its owner still valid?

use crate::attachment::{AttachmentId, network_tag_prefix};
use crate::name::NetworkName;

/// The owners that are of one network, but none of its valid attachments.
#[derive(Debug, Clone)]
pub struct Stale<'a> {
    /// Whose attachments are asked about.
    pub network: &'a NetworkName,
    /// Those of them that are in use.
    pub valid: &'a [AttachmentId],
    network_start: String,
    valid_starts: Vec<String>,
}

impl<'a> Stale<'a> {
    /// Those of `network` outside `valid`.
    pub fn new(network: &'a NetworkName, valid: &'a [AttachmentId]) -> Self {
        Self {
            network,
            valid,
            network_start: format!("{}-", network_tag_prefix(network)),
            valid_starts: valid.iter().map(AttachmentId::tag_prefix).collect(),
        }
    }

    /// Those of `network`, all of them.
    pub fn all(network: &'a NetworkName) -> Self {
        Self::new(network, &[])
    }

    /// Whether `owner`, an [`AttachmentId::tag`] or what it starts with, is one of them. Anything else is not ours.
    pub fn includes(&self, owner: &str) -> bool {
        owner.starts_with(&self.network_start)
            && !self.valid_starts.iter().any(|valid| owner.starts_with(valid))
    }
}
