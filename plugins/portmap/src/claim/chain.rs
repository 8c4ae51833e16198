//! The chains of iptables: whose they are, and which ones an attachment has.

use cni_types::{AttachmentId, Ordered, Stale, hex};

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
    pub(crate) fn valid_chains(&self, stale: &Stale<'_>) -> Ordered {
        let (of_stale, of_others): (Vec<_>, Vec<_>) =
            self.all.iter().partition(|claim| stale.includes(&claim.owner));
        let [of_stale, of_others] = [of_stale, of_others]
            .map(|claims| claims.iter().map(|claim| claim.chain.clone()).collect::<Ordered>());
        let chains = stale.valid.iter().flat_map(|id| [containers_chain(id), interfaces_chain(id)]);
        chains.filter(|chain| of_others.has(chain) || !of_stale.has(chain)).collect()
    }
}

#[cfg(test)]
mod tests {
    use cni_skel::Records;
    use cni_types::{ContainerId, IfName, NetworkName};

    use super::super::{Claim, DIR};
    use super::*;

    #[test]
    fn a_valid_attachment_has_the_chains_that_no_stale_one_alone_claims() {
        let attachment = |container_id: &str, ifname: &str| AttachmentId {
            network: NetworkName::new("net").unwrap(),
            container_id: ContainerId::new(container_id).unwrap(),
            ifname: IfName::new(ifname).unwrap(),
        };
        let (valid, gone) = (attachment("pod", "eth0"), attachment("pod", "eth1"));
        let [containers, interfaces] = [containers_chain(&valid), interfaces_chain(&valid)];
        let claim = |id: &AttachmentId, chain: &String| Claim {
            chain: chain.clone(),
            owner: id.tag_prefix(),
            addresses: Vec::new(),
        };
        for (all, wanted) in [
            (vec![], vec![&containers, &interfaces]),
            (vec![claim(&valid, &containers)], vec![&containers, &interfaces]),
            (vec![claim(&gone, &containers), claim(&valid, &interfaces)], vec![&interfaces]),
            (vec![claim(&gone, &containers), claim(&valid, &containers)], vec![&containers, &interfaces]),
        ] {
            let claims = Claims { records: Records::new(DIR, "owner"), all };
            let chains = claims.valid_chains(&Stale::new(&valid.network, std::slice::from_ref(&valid)));
            let wanted: Ordered = wanted.into_iter().cloned().collect();
            assert!(chains.iter().eq(wanted.iter()), "{:?}: {chains:?}", claims.all);
        }
    }
}
