//! The devices attachments have: one record per attachment, written before its device leaves the host.

use cni_skel::Records;
use cni_types::{AttachmentId, Result, Stale};

use crate::device::Device;

/// As volatile as the containers: after a reboot every device is on the host under its own name.
const DIR: &str = "/run/cni/host-device";

/// The directory of the records.
pub(crate) struct Devices(Records);

/// One record.
pub(crate) struct HeldDevice {
    /// Its file.
    pub(crate) name: String,
    /// The attachment that has the device, in words.
    pub(crate) owner: String,
    pub(crate) device: Device,
}

impl Devices {
    pub(crate) fn new() -> Self {
        Self(Records::new(DIR, "owner"))
    }

    /// # Errors
    /// Code 5 naming the file.
    pub(crate) fn write(&self, id: &AttachmentId, device: &Device) -> Result<()> {
        self.0.write(id, &file_name(id), device.members())
    }

    /// # Errors
    /// Code 5 when it cannot be read, code 6 when it is none.
    pub(crate) fn read(&self, id: &AttachmentId) -> Result<Option<Device>> {
        self.0.decode(&file_name(id))
    }

    /// # Errors
    /// Code 5 naming the file.
    pub(crate) fn remove_if_present(&self, id: &AttachmentId) -> Result<()> {
        self.0.remove_if_present(id, &file_name(id))
    }

    /// The attachment's own record; one that cannot be read is none.
    pub(crate) fn find(&self, id: &AttachmentId) -> Option<HeldDevice> {
        entry(self.0.read(&file_name(id)).ok()??)
    }

    /// The records of attachments other than `id`, of every network. Those that cannot be read are passed over.
    ///
    /// # Errors
    /// Code 5 when the directory cannot be listed.
    pub(crate) fn of_others(&self, id: Option<&AttachmentId>) -> Result<Vec<HeldDevice>> {
        let own = id.map(file_name);
        let names = self.0.names()?.into_iter().filter(|name| Some(name) != own.as_ref());
        Ok(names.filter_map(|name| entry(self.0.read(&name).ok()??)).collect())
    }

    /// The records of stale owners; drafts of theirs are removed.
    ///
    /// # Errors
    /// Code 5 when the directory cannot be listed.
    pub(crate) fn stale(&self, stale: &Stale<'_>) -> Result<Vec<HeldDevice>> {
        Ok(self.0.stale(stale)?.into_iter().filter_map(entry).collect())
    }

    /// # Errors
    /// Code 5 naming the file.
    pub(crate) fn forget(&self, entry: &HeldDevice) -> Result<()> {
        self.0.remove(&entry.name)
    }

    /// Whether a record could be written.
    ///
    /// # Errors
    /// Code 5 naming the directory.
    pub(crate) fn probe(&self) -> Result<()> {
        self.0.probe()
    }
}

/// Container ids are too long for a file name with an interface's behind it.
fn file_name(id: &AttachmentId) -> String {
    format!("{}.json", id.tag_prefix())
}

fn entry(record: cni_skel::Record) -> Option<HeldDevice> {
    Some(HeldDevice { name: record.name, owner: record.owner?, device: record.json.decode().ok()? })
}
