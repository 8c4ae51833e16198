//! The chains of iptables: whose they are, and which ones an attachment has.

use cni_types::{AttachmentId, Stale, hex};

use super::Claims;

/// The end of the name of the chain that the reference gives a container in a network.
fn containers_chain(id: &AttachmentId) -> String {
    id.container_hash(21)
}

/// That of a further interface of the same container: no container id has a `/`.
fn interfaces_chain(id: &AttachmentId) -> String {
    hex(&format!("{}{}/{}", id.network, id.container_id, id.ifname), 21)
}

impl Claims {
    /// The owner of a chain.
    pub(crate) fn owner_of_chain(&self, chain: &str) -> Option<&str> {
        self.all.iter().find(|claim| claim.chain == chain).map(|claim| claim.owner.as_str())
    }

    /// The end of the name of the chain the attachment uses: the one it has, else the container's, unless another
    /// interface has that.
    pub(crate) fn chain(&self, id: &AttachmentId) -> String {
        let taken = || self.owner_of_chain(&containers_chain(id)).is_some();
        let own = self.own(id).next().map(|claim| claim.chain.clone());
        own.unwrap_or_else(|| if taken() { interfaces_chain(id) } else { containers_chain(id) })
    }

    /// The ends of the names of all chains that are the attachment's and nobody else's. A chain without a claim is
    /// from before there were any.
    pub(crate) fn chains(&self, id: &AttachmentId) -> Vec<String> {
        let owner = id.tag_prefix();
        let mut chains = vec![containers_chain(id), interfaces_chain(id)];
        chains.retain(|chain| self.owner_of_chain(chain).is_none_or(|other| other == owner));
        chains
    }

    /// The ends of the names of these owners' chains.
    pub(crate) fn chains_of(&self, owners: &[String]) -> Vec<String> {
        let theirs = self.all.iter().filter(|claim| owners.contains(&claim.owner));
        theirs.map(|claim| claim.chain.clone()).collect()
    }

    /// The ends of the names of the chains that the network's valid attachments have.
    pub(crate) fn valid_chains(&self, stale: &Stale<'_>) -> Vec<String> {
        let mut chains: Vec<String> =
            stale.valid.iter().flat_map(|id| [containers_chain(id), interfaces_chain(id)]).collect();
        chains.retain(|chain| self.owner_of_chain(chain).is_none_or(|owner| !stale.includes(owner)));
        chains
    }
}
