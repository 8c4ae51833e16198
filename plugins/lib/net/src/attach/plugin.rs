//! A plugin that makes one link in the container: all that two of them differ in is what they read.

use cni_skel::{About, Attachment, Detachment, Plugin};
use cni_types::{CniResult, Network, Result, SpecVersion};

use super::Wanted;

/// Such a plugin.
#[derive(Debug, Clone, Copy)]
pub struct LinkPlugin {
    /// Its name, also the `type` in configurations.
    pub name: &'static str,
    /// The kernel's word for its links' kind (`IFLA_INFO_KIND`): DEL, which reads no key, removes no other.
    pub kind: &'static str,
    /// Reads the plugin's keys.
    ///
    /// # Errors
    /// Code 6 for a value of the wrong type, code 7 for one that is not allowed, code 2 for one that cannot be had, code 4
    /// for `CNI_ARGS` that cannot be read.
    pub read: fn(&Network) -> Result<Wanted>,
}

impl Plugin for LinkPlugin {
    fn about(&self) -> About {
        About { name: self.name, versions: &SpecVersion::ALL }
    }

    fn add(&self, attachment: &Attachment) -> Result<CniResult> {
        (self.read)(&attachment.network)?.add(attachment)
    }

    fn check(&self, attachment: &Attachment) -> Result<()> {
        (self.read)(&attachment.network)?.check(attachment)
    }

    fn del(&self, detachment: &Detachment) -> Result<()> {
        super::del(detachment, self.kind)
    }

    fn gc(&self, network: &Network) -> Result<()> {
        super::gc(network)
    }

    fn status(&self, network: &Network) -> Result<()> {
        (self.read)(network)?.status(network)
    }
}
