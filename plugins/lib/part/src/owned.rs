//! What is found by its owner alone.

use cni_skel::Detachment;
use cni_types::{Network, Result, Stale};

use crate::site::Host;

/// Whose things are to go.
#[derive(Debug, Clone, Copy)]
pub enum Whose<'a> {
    /// DEL: this attachment's. Its configuration holds hints at most.
    Attachment(&'a Detachment),
    /// GC: those of all attachments of the network that are not in the list.
    Stale {
        /// The network.
        network: &'a Network,
        /// Those attachments, as things say whose they are.
        owners: &'a Stale<'a>,
    },
}

/// One thing that the host has for an attachment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Held {
    /// The owner's [`AttachmentId::tag`], or what it starts with.
    pub owner: String,
    /// The thing in words that another tool finds it by: a link's name, an address.
    pub what: String,
}

impl Held {
    /// The network's links of one kind, which have their owner's tag as alias.
    ///
    /// # Errors
    /// Code 100 when the kernel refuses to say.
    pub fn links(host: &Host, kind: &str, network: &Network) -> Result<Vec<Self>> {
        let all = Stale::all(&network.name);
        let links = host.rtnl()?.tagged(kind, |alias| all.includes(alias))?.into_iter();
        Ok(links.map(|link| Self { owner: link.alias, what: link.name }).collect())
    }

    /// The owners and their things.
    pub fn list(found: Vec<(String, String)>) -> Vec<Self> {
        found.into_iter().map(|(owner, what)| Self { owner, what }).collect()
    }
}

/// A kind of thing that attachments own on the host. It is found and taken away by its owner: neither verb reads a key
/// of the plugin's own, so a configuration that no longer makes sense keeps no container from going.
pub trait Owned: Sync {
    /// What it is, as operators say: in errors and lists.
    fn name(&self) -> &'static str;

    /// Takes it away, in every layout that this suite or the reference has made it in. What is not there is no error.
    ///
    /// # Errors
    /// All failures, folded, after everything was tried.
    fn remove(&self, host: &Host, whose: &Whose<'_>) -> Result<()>;

    /// What there is for attachments of the network, with its owner.
    ///
    /// # Errors
    /// What could not be listed.
    fn held(&self, host: &Host, network: &Network) -> Result<Vec<Held>>;

    /// Whether taking this away takes away what is called `name`.
    fn includes(&self, name: &str) -> bool {
        self.name() == name
    }
}

/// What an attachment has in its container and nowhere else: DEL takes it away, and what is stale has gone with the
/// container.
pub struct InContainer {
    /// What it is, as operators say.
    pub name: &'static str,
    /// Takes it away.
    ///
    /// # Errors
    /// What could not be taken away.
    pub remove: fn(&Host, &Detachment) -> Result<()>,
}

impl Owned for InContainer {
    fn name(&self) -> &'static str {
        self.name
    }

    fn remove(&self, host: &Host, whose: &Whose<'_>) -> Result<()> {
        match *whose {
            Whose::Attachment(detachment) => (self.remove)(host, detachment),
            Whose::Stale { .. } => Ok(()),
        }
    }

    fn held(&self, _host: &Host, _network: &Network) -> Result<Vec<Held>> {
        Ok(Vec::new())
    }
}
