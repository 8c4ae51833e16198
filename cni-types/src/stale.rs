//! GC's question about a thing on the host: is its owner still valid?

use crate::attachment::{AttachmentId, network_tag_prefix};
use crate::name::NetworkName;

/// The owners that are of one network, but none of its valid attachments.
#[derive(Debug, Clone)]
pub struct Stale {
    network: String,
    valid: Vec<String>,
}

impl Stale {
    /// Those of `network` outside `valid`.
    pub fn new(network: &NetworkName, valid: &[AttachmentId]) -> Self {
        Self {
            network: format!("{}-", network_tag_prefix(network)),
            valid: valid.iter().map(AttachmentId::tag_prefix).collect(),
        }
    }

    /// Those of `network`, all of them.
    pub fn all(network: &NetworkName) -> Self {
        Self::new(network, &[])
    }

    /// Whether `owner`, an [`AttachmentId::tag`] or what it starts with, is one of them. Anything else is not ours.
    pub fn includes(&self, owner: &str) -> bool {
        owner.starts_with(&self.network) && !self.valid.iter().any(|valid| owner.starts_with(valid))
    }
}
