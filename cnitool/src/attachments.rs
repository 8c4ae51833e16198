//! The attachments of this node: the result cache, what every part of every plugin holds, and the kernel, joined by
//! owner.
//!
//! A survey shows one moment after another, not one moment: what comes or goes meanwhile may look damaged.

mod held;
mod join;
mod judge;
mod leased;
mod limits;
mod owner;
mod port;
mod reserved;
mod state;
mod survey;
mod words;

use std::path::PathBuf;

use cni_types::{AttachmentId, NetworkName};

use crate::cache::Kept;
use crate::kernel::Link;

pub(crate) use reserved::reservations;
pub(crate) use state::State;
pub(crate) use survey::Survey;

/// What one attachment is known by and what there is of it.
#[derive(Debug, Clone)]
pub(crate) struct Attachment {
    /// Which it is; `None` where what it left does not say (a hash alone, an unreadable file).
    pub(crate) id: Option<AttachmentId>,
    /// Its network, as far as known.
    pub(crate) network: Option<NetworkName>,
    /// [`AttachmentId::tag_prefix`]; `None` for a file that cannot be read, or a reservation without an interface's
    /// name.
    pub(crate) owner: Option<String>,
    /// Its file in the cache.
    pub(crate) file: Option<PathBuf>,
    /// What the file holds.
    pub(crate) kept: Option<Kept>,
    /// What parts and IPAM have for it.
    pub(crate) held: Vec<Thing>,
    /// Its interface in the container.
    pub(crate) link: Option<Link>,
    /// The host's end of it.
    pub(crate) host_link: Option<Link>,
    /// The VLANs it is on, in order: those that the bridge lets through the host's end, or that of a `vlan` link. None
    /// where the bridge does not tell VLANs apart or the port is as every port is made, on 1 alone.
    pub(crate) vlans: Vec<u16>,
    /// Whether it is as it should be.
    pub(crate) state: State,
}

/// One thing on the host that is an attachment's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Thing {
    /// The part that holds it, as operators say.
    pub(crate) part: String,
    /// What another tool finds it by.
    pub(crate) what: String,
    /// Known from a record on disk alone: whether the kernel has it too is another question.
    pub(crate) is_on_record: bool,
}

/// The part's name for what IPAM keeps.
pub(crate) const RESERVED: &str = "addresses of IPAM";
/// The same for what a DHCP server has given.
const LEASED: &str = "lease";

impl Attachment {
    /// One of which nothing else is known yet.
    fn new(owner: Option<String>) -> Self {
        Self {
            id: None,
            network: None,
            owner,
            file: None,
            kept: None,
            held: Vec::new(),
            link: None,
            host_link: None,
            vlans: Vec::new(),
            state: State::Unknown("nobody has looked".into()),
        }
    }

    /// Network, container and interface, as far as known, or what is known instead.
    pub(crate) fn names(&self) -> [String; 3] {
        let network = self.network.as_ref().map_or_else(|| "?".to_owned(), ToString::to_string);
        match &self.id {
            Some(id) => [network, id.container_id.to_string(), id.ifname.to_string()],
            None => [network, self.owner.clone().unwrap_or_else(|| "?".to_owned()), "?".to_owned()],
        }
    }

    /// What lists are sorted by.
    fn order(&self) -> [String; 3] {
        let id = self.id.as_ref();
        let text = |part: Option<String>| part.unwrap_or_default();
        [
            text(self.network.as_ref().map(ToString::to_string)),
            text(id.map(|id| id.container_id.to_string())),
            text(id.map(|id| id.ifname.to_string())),
        ]
    }
}
