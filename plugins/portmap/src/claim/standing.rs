//! How the owners of claims stand to an attachment that they are in the way of.

use std::net::IpAddr;

use cni_net::RememberedNetns;
use cni_types::{AttachmentId, Cidr};
use serde::Deserialize;

use super::{Claim, Claims};

/// From how many characters on a cut container id is taken for the whole one, where there is no record.
const ID_MIN: usize = 12;

/// What is in the file.
#[derive(Deserialize)]
struct Content {
    #[serde(rename = "containerID")]
    container_id: String,
    #[serde(default)]
    netns: Option<RememberedNetns>,
}

/// How the owner of a thing stands to an attachment that it is in the way of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Another attachment of the same container: they share.
    Sibling,
    /// Its namespace is no more: it yields.
    Gone,
    /// Anybody else: it keeps what it has.
    Living,
}

impl Claims {
    /// Those of other containers on an address that is this attachment's now.
    pub(crate) fn displaced(&self, id: &AttachmentId, targets: &[Option<Cidr>; 2]) -> Vec<Claim> {
        let owner = id.tag_prefix();
        let is_ours = |ip: &IpAddr| targets.iter().flatten().any(|target| target.ip() == *ip);
        let displaced = |claim: &&Claim| {
            claim.owner != owner
                && claim.addresses.iter().any(is_ours)
                && self.standing(id, &claim.owner, "") != Standing::Sibling
        };
        self.all.iter().filter(displaced).cloned().collect()
    }

    /// How `owner` stands to the attachment. Without a record the container's id tells, as somebody's comment `named`
    /// it; if that was cut, its beginning.
    pub(crate) fn standing(&self, id: &AttachmentId, owner: &str, named: &str) -> Standing {
        let container_id = id.container_id.as_str();
        let claims = self.all.iter().filter(|claim| claim.owner == owner);
        let contents: Vec<Content> =
            claims.filter_map(|claim| self.records.decode(&claim.name()).ok().flatten()).collect();
        if contents.is_empty() {
            let same = named == container_id || named.len() >= ID_MIN && container_id.starts_with(named);
            return if same { Standing::Sibling } else { Standing::Living };
        }
        if contents.iter().any(|content| content.container_id == container_id) {
            return Standing::Sibling;
        }
        // Of two that were made one after the other, either may be the one that counts.
        let is_gone = |content: &Content| content.netns.as_ref().is_some_and(RememberedNetns::is_gone);
        if contents.iter().all(is_gone) { Standing::Gone } else { Standing::Living }
    }
}
