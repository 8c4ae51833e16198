//! Who has which address, with which chain and in which namespace: one record per attachment, for both backends. Rules
//! and elements say where a port leads; whether anybody is still there, only this tells.
//!
//! The file's name is `<chain's hash>,<owner>[,<address>…]`, so one look at the directory finds the claims of an
//! address, of a chain and of an attachment; the file itself is read only where a claim is in the way.

mod chain;
mod standing;

use std::net::IpAddr;
use std::path::Path;
use std::rc::Rc;

use cni_filter::Filter;
use cni_net::RememberedNetns;
use cni_skel::Records;
use cni_types::{AttachmentId, Cidr, Failures, Json, Result, Stale};

pub(crate) use standing::Standing;

/// As volatile as rules and containers.
const DIR: &str = "/run/cni/portmap";

/// The claims of the host, as they were when they were listed.
pub(crate) struct Claims {
    records: Records,
    all: Vec<Claim>,
}

/// One claim, as its file's name says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    /// What the iptables chain's name ends with.
    pub(crate) chain: String,
    /// The attachment: [`AttachmentId::tag_prefix`].
    pub(crate) owner: String,
    pub(crate) addresses: Vec<IpAddr>,
}

/// Who wants ports, and who else claims its addresses.
pub(crate) struct Claimant<'a> {
    pub(crate) id: &'a AttachmentId,
    pub(crate) claims: &'a Claims,
    /// Of other containers, which lose what leads to the attachment's addresses.
    pub(crate) displaced: &'a [Claim],
}

impl Claim {
    fn name(&self) -> String {
        let mut name = format!("{},{}", self.chain, self.owner);
        for address in &self.addresses {
            name.push_str(&format!(",{address}"));
        }
        name
    }

    fn parse(name: &str) -> Option<Self> {
        let mut parts = name.split(',');
        let (chain, owner) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        let addresses = parts.map(str::parse).collect::<std::result::Result<_, _>>().ok()?;
        Some(Self { chain, owner, addresses })
    }
}

impl Claims {
    /// Looks at the directory.
    ///
    /// # Errors
    /// Code 5 when it cannot be listed.
    pub(crate) fn list() -> Result<Self> {
        let records = Records::new(DIR, "owner");
        let all = records.names()?.iter().filter_map(|name| Claim::parse(name)).collect();
        Ok(Self { records, all })
    }

    /// As [`Self::list`], or as they were when they were looked at for another attachment.
    ///
    /// # Errors
    /// As [`Self::list`].
    pub(crate) fn look(filter: &Filter) -> Result<Rc<Self>> {
        filter.look(DIR, Self::list)
    }

    /// As [`Self::list`], but what cannot be listed keeps no rule from going: it is one of the failures.
    pub(crate) fn list_or_note(failures: &mut Failures) -> Self {
        let nothing = || Self { records: Records::new(DIR, "owner"), all: Vec::new() };
        failures.note(Self::list()).unwrap_or_else(nothing)
    }

    /// Whether ADD could write a claim.
    ///
    /// # Errors
    /// Code 5 naming the directory.
    pub(crate) fn probe() -> Result<()> {
        Records::new(DIR, "owner").probe()
    }

    /// The attachment's own: more than one after an ADD that was killed and made again with other addresses.
    pub(crate) fn own<'a>(&'a self, id: &AttachmentId) -> impl Iterator<Item = &'a Claim> + use<'a> {
        let owner = id.tag_prefix();
        self.all.iter().filter(move |claim| claim.owner == owner)
    }

    /// The owners and addresses of the claims of `owners`.
    pub(crate) fn held(&self, owners: &Stale<'_>) -> Vec<(String, String)> {
        let claims = self.all.iter().filter(|claim| owners.includes(&claim.owner));
        let each =
            |claim: &Claim| claim.addresses.iter().map(|ip| (claim.owner.clone(), ip.to_string())).collect();
        claims.flat_map(|claim| -> Vec<_> { each(claim) }).collect()
    }

    /// Writes the attachment's claim. What it had before stays beside it until [`Self::settle`].
    ///
    /// # Errors
    /// Code 5 naming the file.
    pub(crate) fn write(
        &self,
        id: &AttachmentId,
        netns: &Path,
        targets: &[Option<Cidr>; 2],
    ) -> Result<Claim> {
        let addresses = targets.iter().flatten().map(Cidr::ip).collect();
        let claim = Claim { chain: self.chain(id), owner: id.tag_prefix(), addresses };
        let netns = RememberedNetns::of(netns).map_or(Json::Null, |netns| netns.json());
        let container_id = Json::String(id.container_id.to_string());
        let members = vec![("containerID".to_owned(), container_id), ("netns".to_owned(), netns)];
        self.records.write(id, &claim.name(), members)?;
        Ok(claim)
    }

    /// After an ADD: what the attachment claimed before goes, and so do the claims of others on its addresses, and
    /// those of `yielded` owners.
    ///
    /// # Errors
    /// Code 5 naming the file.
    pub(crate) fn settle(&self, claim: &Claim, displaced: &[Claim], yielded: &[String]) -> Result<()> {
        for other in self.all.iter().filter(|other| *other != claim) {
            if other.owner == claim.owner || yielded.contains(&other.owner) {
                self.records.remove(&other.name())?;
            } else if displaced.contains(other) {
                self.shrink(other, &claim.addresses)?;
            }
        }
        Ok(())
    }

    fn shrink(&self, claim: &Claim, lost: &[IpAddr]) -> Result<()> {
        let mut rest = claim.clone();
        rest.addresses.retain(|address| !lost.contains(address));
        if rest.addresses.is_empty() {
            return self.records.remove(&claim.name());
        }
        self.records.rename_if_present(&claim.name(), &rest.name())
    }

    /// Removes all claims of the attachment.
    ///
    /// # Errors
    /// Code 5 naming the file.
    pub(crate) fn remove(&self, id: &AttachmentId) -> Result<()> {
        self.own(id).try_for_each(|claim| self.records.remove(&claim.name()))?;
        self.records.remove_draft(id)
    }

    /// Removes the claims of stale owners.
    ///
    /// # Errors
    /// Code 5 naming the files.
    pub(crate) fn collect(&self, stale: &Stale<'_>) -> Result<()> {
        self.records.collect(stale)
    }
}
