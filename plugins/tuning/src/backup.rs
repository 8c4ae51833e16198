//! What the attributes were before ADD changed them: one file per attachment, the reference's, with the owner in it
//! under a key the reference passes over. Its name says no network, so GC goes by the owner.

use cni_part::Held;
use cni_skel::Records;
use cni_types::{AttachmentId, Network, Result, Stale};

use crate::attributes::Attributes;
use crate::conf;

/// The directory of the backups.
pub(crate) struct Backups(Records);

impl Backups {
    /// Those of the network's configuration.
    pub(crate) fn of(network: &Network) -> Self {
        Self(Records::new(conf::data_dir(network), "owner"))
    }

    /// Writes the attachment's backup in place of any before: all of it, or nothing.
    ///
    /// # Errors
    /// Code 5 naming the file.
    pub(crate) fn write(&self, id: &AttachmentId, before: &Attributes) -> Result<()> {
        self.0.write(id, &name(id), before.members())
    }

    /// The attachment's backup, if there is one.
    ///
    /// # Errors
    /// Code 5 when it cannot be read, code 6 when it is none.
    pub(crate) fn read(&self, id: &AttachmentId) -> Result<Option<Attributes>> {
        self.0.decode(&name(id))
    }

    /// Removes the attachment's backup and the draft of one.
    ///
    /// # Errors
    /// Code 5 naming the file.
    pub(crate) fn remove_if_present(&self, id: &AttachmentId) -> Result<()> {
        self.0.remove_if_present(id, &name(id))
    }

    /// Removes the backups of stale attachments.
    ///
    /// # Errors
    /// All failures, folded, after every file was tried.
    pub(crate) fn collect(&self, stale: &Stale<'_>) -> Result<()> {
        self.0.collect(stale)
    }

    /// The backups of these attachments.
    ///
    /// # Errors
    /// Code 5 when the directory cannot be listed.
    pub(crate) fn held(&self, owners: &Stale<'_>) -> Result<Vec<Held>> {
        let records = self.0.stale(owners)?.into_iter();
        Ok(records.filter_map(|record| Some(Held { owner: record.owner?, what: record.name })).collect())
    }

    /// Whether a backup could be written.
    ///
    /// # Errors
    /// Code 5 naming the directory.
    pub(crate) fn probe(&self) -> Result<()> {
        self.0.probe()
    }
}

/// The reference's name for the file.
fn name(id: &AttachmentId) -> String {
    format!("{}_{}.json", id.container_id, id.ifname)
}
