//! Which addresses an attachment was ever given. An ADD, a crash and another ADD with another address leave entries of
//! both, of which DEL is told the last at most; and the iptables layout, which has the reference's texts, does not say
//! which of a container's interfaces an entry is for. So ADD writes them down before it makes the first entry: a file
//! per attachment under `/run/cni`, gone with a reboot like the entries.

use std::net::IpAddr;

use cni_skel::Records;
use cni_types::{AttachmentId, Json, NetworkName, Result, Stale, network_tag_prefix, sort_and_dedup};

/// Hex digits of the container in a record's name.
const CONTAINER: usize = 24;

/// The records of one layout.
pub struct Given(Records);

impl Given {
    /// Those in this directory.
    pub fn new(dir: &'static str) -> Self {
        Self(Records::new(dir, "owner"))
    }

    /// Adds to what the attachment has.
    ///
    /// # Errors
    /// Code 5 when the record cannot be written or the one before cannot be read.
    pub fn add(&self, id: &AttachmentId, ips: impl Iterator<Item = IpAddr>) -> Result<()> {
        let known = self.find(id)?;
        let mut all = known.clone().unwrap_or_default();
        all.extend(ips);
        sort_and_dedup(&mut all);
        if known.as_ref() == Some(&all) {
            return Ok(());
        }
        let list = all.iter().map(|ip| Json::String(ip.to_string())).collect();
        self.0.write(id, &name(id), vec![("addresses".to_owned(), Json::Array(list))])
    }

    /// As [`Self::add`] for a layout whose entries name their owner: DEL finds them without a record, too, only not as
    /// quickly. So there is one of everything or none.
    pub fn note(&self, id: &AttachmentId, ips: impl Iterator<Item = IpAddr>) {
        if self.add(id, ips).is_err() {
            drop(self.forget(id));
        }
    }

    /// Whether [`Self::add`] could work.
    ///
    /// # Errors
    /// Code 5 naming the directory.
    pub fn status(&self) -> Result<()> {
        self.0.probe()
    }

    /// What the attachment has; `None` without a record, as of before an upgrade or with the reference.
    ///
    /// # Errors
    /// Code 5 when the record cannot be read, code 6 when it is none.
    pub fn find(&self, id: &AttachmentId) -> Result<Option<Vec<IpAddr>>> {
        self.addresses(&name(id))
    }

    /// What the container's other attachments to the network have.
    ///
    /// # Errors
    /// As [`Self::find`]; code 5 also when the directory cannot be listed.
    pub fn of_others(&self, id: &AttachmentId) -> Result<Vec<IpAddr>> {
        let own = name(id);
        let mut others = Vec::new();
        for name in self.0.names()?.iter().filter(|name| **name != own && same_container(name, &own)) {
            others.extend(self.addresses(name)?.unwrap_or_default());
        }
        Ok(others)
    }

    /// Forgets the attachment.
    ///
    /// # Errors
    /// Code 5 when the record cannot be removed.
    pub fn forget(&self, id: &AttachmentId) -> Result<()> {
        self.0.remove_if_present(id, &name(id))
    }

    /// Forgets the stale ones.
    ///
    /// # Errors
    /// Code 5 when the directory cannot be listed or a record cannot be removed.
    pub fn collect(&self, stale: &Stale<'_>) -> Result<()> {
        self.0.collect(stale)
    }

    /// The records of all attachments.
    ///
    /// # Errors
    /// Code 5 when the directory cannot be listed.
    pub fn all(&self) -> Result<Vec<Owner>> {
        Ok(self.0.names()?.into_iter().map(Owner).collect())
    }

    /// The owners' and addresses' texts of all that are in `owners`.
    ///
    /// # Errors
    /// As [`Self::find`].
    pub fn held(&self, owners: &Stale<'_>) -> Result<Vec<(String, String)>> {
        let mut held = Vec::new();
        for owner in self.all()?.iter().filter(|owner| owner.is_in(owners)) {
            held.extend(self.of(owner)?.iter().map(|ip| (owner.0.clone(), ip.to_string())));
        }
        Ok(held)
    }

    /// What such a one has.
    ///
    /// # Errors
    /// As [`Self::find`].
    pub fn of(&self, owner: &Owner) -> Result<Vec<IpAddr>> {
        Ok(self.addresses(&owner.0)?.unwrap_or_default())
    }

    fn addresses(&self, name: &str) -> Result<Option<Vec<IpAddr>>> {
        let Some(record) = self.0.read(name)? else { return Ok(None) };
        let list = match record.json.get("addresses") {
            Some(Json::Array(list)) => list.as_slice(),
            _ => &[],
        };
        let ip = |ip: &Json| if let Json::String(text) = ip { cni_types::parse_ip(text) } else { None };
        Ok(Some(list.iter().filter_map(ip).collect()))
    }
}

/// An attachment on record: only hashes of its names are known.
pub struct Owner(String);

impl Owner {
    /// Whether it is stale.
    pub fn is_in(&self, stale: &Stale<'_>) -> bool {
        stale.includes(&self.0)
    }

    /// Whether it is an attachment to the network.
    pub fn is_of(&self, network: &NetworkName) -> bool {
        self.0.split('-').next() == Some(&network_tag_prefix(network))
    }

    /// The container's hash, as of [`AttachmentId::container_hash`].
    pub fn container(&self) -> &str {
        self.0.rsplit('-').next().unwrap_or_default()
    }
}

/// The tag's hashes, then that of the container.
fn name(id: &AttachmentId) -> String {
    format!("{}-{}", id.tag_prefix(), id.container_hash(CONTAINER))
}

fn same_container(one: &str, other: &str) -> bool {
    one.rsplit('-').next() == other.rsplit('-').next()
}
