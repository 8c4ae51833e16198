//! The delegate's configuration as ADD used it, kept until the delegate's DEL succeeded: the node's subnet may be
//! another one by then, or unknown.
//!
//! The container's first attachment has the reference's file, `<container id>`, so that either suite's DEL finds it.
//! Where that is taken by another attachment, the file is `:` and the hashes of the owner's tag, which is no container
//! id. Whose it is stands inside, under keys that the reference and delegates pass over.

mod stale;

use cni_skel::{Record, Records};
use cni_types::{AttachmentId, Code, Doing, Error, Json, Network, NetworkName, Result, Stale};

use crate::conf;
use crate::delegate::Delegate;
use crate::object::Object;

/// The key of the owner's tag, which is cut off where it gets long.
const OWNER: &str = "flannelOwner";
/// The key of its container id and interface name, whole.
const ATTACHMENT: &str = "flannelAttachment";

pub(crate) use stale::StaleConf;

/// The directory of the saved configurations.
pub(crate) struct Saved<'a> {
    records: Records,
    network: &'a NetworkName,
}

/// What is saved about an attachment.
pub(crate) enum SavedConf {
    Nothing,
    /// In the file of this name.
    Read(String, Delegate),
    /// Something that is no configuration, in the file of this name.
    Unreadable(String, Error),
}

impl<'a> Saved<'a> {
    /// Those of the network's configuration.
    pub(crate) fn of(network: &'a Network) -> Self {
        Self { records: Records::new(conf::data_dir(network), OWNER), network: &network.name }
    }

    /// Saves the attachment's configuration, in place of one it already has; returns the file's name and what was
    /// replaced.
    ///
    /// # Errors
    /// Code 5 naming the file.
    pub(crate) fn write(&self, id: &AttachmentId, delegate: &Delegate) -> Result<(String, Option<Delegate>)> {
        let first = id.container_id.as_str();
        let own = own_name(id);
        let is_free = |name: &str| match self.records.read(name) {
            Ok(record) => record.is_none_or(|record| is_owner(&record, id)),
            Err(_) => false,
        };
        let name = if is_free(first) && !self.records.has(&own) { first.to_owned() } else { own };
        let replaced = self.records.read(&name).ok().flatten().and_then(|record| self.delegate(&record).ok());
        let attachment = [("containerID", first), ("ifname", id.ifname.as_str())];
        let attachment = attachment.map(|(key, text)| (key.to_owned(), Json::String(text.to_owned())));
        let mut members = delegate.conf.members();
        members.push((ATTACHMENT.to_owned(), Json::Object(attachment.into())));
        self.records.write(id, &name, members)?;
        Ok((name, replaced))
    }

    /// Looks for the attachment's configuration, ours or the reference's.
    ///
    /// # Errors
    /// Code 5 when a file is there and cannot be read.
    pub(crate) fn find(&self, id: &AttachmentId) -> Result<SavedConf> {
        for name in [own_name(id), id.container_id.to_string()] {
            let conf = match self.records.read(&name) {
                Ok(Some(record)) if self.is_of(&record, id) => self.delegate(&record),
                Ok(_) => continue,
                Err(error) if error.code == Code::DECODE => Err(error),
                Err(error) => return Err(error),
            };
            return Ok(match conf {
                Ok(delegate) => SavedConf::Read(name, delegate),
                Err(error) => SavedConf::Unreadable(name, error),
            });
        }
        Ok(SavedConf::Nothing)
    }

    /// The reference's file says the network but not the interface.
    fn is_of(&self, record: &Record, id: &AttachmentId) -> bool {
        match &record.owner {
            Some(_) => is_owner(record, id),
            None => record.json.get_str("name").is_none_or(|name| name == self.network.as_str()),
        }
    }

    /// Removes the file of this name and the draft of the attachment's.
    ///
    /// # Errors
    /// Code 5 naming the file.
    pub(crate) fn remove_if_present(&self, id: &AttachmentId, name: &str) -> Result<()> {
        self.records.remove_if_present(id, name)
    }

    /// Removes what an ADD that was killed had not finished saving.
    ///
    /// # Errors
    /// Code 5 naming the file.
    pub(crate) fn remove_draft(&self, id: &AttachmentId) -> Result<()> {
        self.records.remove_draft(id)
    }

    /// The owners and delegates of ours that belong to `owners`.
    ///
    /// # Errors
    /// Code 5 when the directory cannot be listed.
    pub(crate) fn held(&self, owners: &Stale<'_>) -> Result<Vec<(String, String)>> {
        let records = self.records.stale(owners)?.into_iter();
        let plugin = |record: &Record| record.json.get_str("type").unwrap_or_default().to_owned();
        Ok(records.filter_map(|record| Some((record.owner.clone()?, plugin(&record)))).collect())
    }

    /// The configuration without our keys: what the delegate's ADD got.
    fn delegate(&self, record: &Record) -> Result<Delegate> {
        let mut conf: Object = record.json.decode().doing(self.using(record))?;
        conf.remove(OWNER);
        conf.remove(ATTACHMENT);
        Delegate::saved(conf).doing(self.using(record))
    }

    fn using(&self, record: &Record) -> String {
        format!("cannot use the saved configuration {}", self.records.path(&record.name).display())
    }

    /// Whether a configuration could be saved.
    ///
    /// # Errors
    /// Code 5 naming the directory.
    pub(crate) fn probe(&self) -> Result<()> {
        self.records.probe()
    }
}

fn own_name(id: &AttachmentId) -> String {
    format!(":{}", id.tag_prefix())
}

fn is_owner(record: &Record, id: &AttachmentId) -> bool {
    record.owner.as_ref().is_some_and(|owner| owner.starts_with(&id.tag_prefix()))
}
