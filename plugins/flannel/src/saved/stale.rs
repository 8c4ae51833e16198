//! What GC finds.

use cni_skel::Record;
use cni_types::{AttachmentId, ContainerId, Doing, IfName, Ordered, Result, Stale, fields};
use serde::Deserialize;

use super::Saved;
use crate::delegate::Delegate;

/// The interface of an attachment of the reference's, which does not say: what runtimes call a container's first.
const REFERENCE_IFNAME: &str = "eth0";

/// A configuration whose attachment is no longer valid.
pub(crate) struct StaleConf {
    /// Its file's name.
    pub(crate) name: String,
    pub(crate) id: AttachmentId,
    pub(crate) delegate: Delegate,
}

impl Saved<'_> {
    /// The configurations of the network's stale attachments, the reference's too; each may be an error
    /// of its own. What cannot be read says no network and stays.
    ///
    /// # Errors
    /// Code 5 when the directory cannot be listed.
    pub(crate) fn stale(&self, owners: &Stale<'_>) -> Result<Vec<Result<StaleConf>>> {
        let mut records = self.records.stale(owners)?;
        let valid: Ordered = owners.valid.iter().map(|id| id.container_id.to_string()).collect();
        for name in self.records.names()? {
            if name.starts_with(':') || valid.has(&name) {
                continue;
            }
            let record = self.records.read(&name).ok().flatten();
            records.extend(record.filter(|record| {
                record.owner.is_none() && record.json.get_str("name") == Some(self.network.as_str())
            }));
        }
        let stale = records.into_iter().map(|record| {
            let (id, delegate) = (self.attachment(&record)?, self.delegate(&record)?);
            Ok(StaleConf { name: record.name, id, delegate })
        });
        Ok(stale.collect())
    }

    fn attachment(&self, record: &Record) -> Result<AttachmentId> {
        #[derive(Default)]
        struct Keys {
            flannel_attachment: Option<Attachment>,
        }
        fields!(Keys { "flannelAttachment" flannel_attachment });
        #[derive(Deserialize)]
        struct Attachment {
            #[serde(rename = "containerID")]
            container_id: String,
            ifname: String,
        }
        let keys: Keys = record.json.decode().doing(self.using(record))?;
        let attachment = keys.flannel_attachment;
        let (container_id, ifname) =
            attachment.as_ref().map_or((record.name.as_str(), REFERENCE_IFNAME), |a| {
                (a.container_id.as_str(), a.ifname.as_str())
            });
        Ok(AttachmentId {
            network: self.network.clone(),
            container_id: ContainerId::new(container_id).doing(self.using(record))?,
            ifname: IfName::new(ifname).doing(self.using(record))?,
        })
    }
}
