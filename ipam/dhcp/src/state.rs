//! Leases on disk: one file each, so that a daemon that is started anew, or a plugin without one, knows them.
//!
//! The directory is found from the socket's path, which both sides know. It is meant to be emptied by a reboot, as
//! `/run` is: times are counted from the boot.

mod document;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use cni_skel::Records;
use cni_types::{AttachmentId, Error, Json, Result};

use crate::record::LeaseRecord;
use document::Document;

/// The state directory of one daemon.
#[derive(Debug, Clone)]
pub(crate) struct State {
    records: Records,
}

impl State {
    /// The one beside the socket: its path with `.leases` behind it.
    pub(crate) fn beside(socket: &Path) -> Self {
        let mut dir = socket.as_os_str().to_owned();
        dir.push(".leases");
        Self { records: Records::new(PathBuf::from(dir), "owner") }
    }

    /// Whether it can be written to.
    ///
    /// # Errors
    /// Code 5 naming the directory.
    pub(crate) fn probe(&self) -> Result<()> {
        self.records.probe()
    }

    /// # Errors
    /// Code 5 naming the file.
    pub(crate) fn write(&self, record: &LeaseRecord) -> Result<()> {
        let id = &record.id;
        let text = serde_json::to_vec(&Document::of(record))
            .map_err(|e| Error::decode("cannot write a lease").because(e))?;
        let Json::Object(members) = Json::parse(&text)? else { return Ok(()) };
        self.records.write(id, &name(id), members)
    }

    /// The record of an attachment; `None` without one.
    ///
    /// # Errors
    /// Code 5 when it cannot be read, code 6 when it makes no sense.
    pub(crate) fn find(&self, id: &AttachmentId) -> Result<Option<LeaseRecord>> {
        self.read(&name(id))
    }

    fn read(&self, name: &str) -> Result<Option<LeaseRecord>> {
        let Some(document) = self.records.decode::<Document>(name)? else { return Ok(None) };
        let path = self.records.path(name);
        let record = document.record();
        record.map(Some).map_err(|e| e.doing(format!("cannot use the lease in {}", path.display())))
    }

    /// All of them, and the failures of those that cannot be used.
    ///
    /// # Errors
    /// Code 5 when the directory cannot be listed.
    pub(crate) fn all(&self) -> Result<Vec<Result<LeaseRecord>>> {
        let names = self.records.names()?;
        let leases = names.iter().filter(|name| name.ends_with(".json"));
        Ok(leases.filter_map(|name| self.read(name).transpose()).collect())
    }

    /// Forgets the attachment.
    ///
    /// # Errors
    /// Code 5 naming what cannot be removed.
    pub(crate) fn remove_if_present(&self, id: &AttachmentId) -> Result<()> {
        Error::all([name(id), order(id)].map(|name| self.records.remove_if_present(id, &name)))
    }

    /// Leaves the order to release the attachment's lease for the daemon's next start.
    ///
    /// # Errors
    /// Code 5 naming the file.
    pub(crate) fn order_release(&self, id: &AttachmentId) -> Result<()> {
        self.records.write(id, &order(id), Vec::new())
    }

    /// Whether that was ordered.
    pub(crate) fn is_release_ordered(&self, id: &AttachmentId) -> bool {
        self.records.has(&order(id))
    }
}

fn name(id: &AttachmentId) -> String {
    format!("{}.json", id.tag_prefix())
}

fn order(id: &AttachmentId) -> String {
    format!("{}.release", id.tag_prefix())
}
