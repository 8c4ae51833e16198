//! `flannel`: joins the containers of a cluster's nodes, through another plugin that does the work on this node.
//!
//! flanneld gives every node a part of the cluster's network and writes it to `subnet.env`. ADD builds the delegate's
//! configuration from that and its own, saves it and runs the delegate (`bridge`, if nothing else is said).
//!
//! Host state: the saved configuration, `<dataDir>/<container id>`, or `<dataDir>/:<hashes>` for further attachments of
//! the container; and what the delegate makes. DEL runs the delegate's DEL with what was saved and then removes it; it
//! needs no `subnet.env`. GC does the same for attachments that are no longer valid, then runs the delegate's GC.
//!
//! Differs from the reference: see README.md.

mod conf;
mod del;
mod delegate;
mod delegation;
mod flanneld;
mod object;
mod saved;
mod status;
mod subnet;

use cni_part::PartPlugin;
use cni_types::{AttachmentId, Json, Network, PluginName, Result};

pub use conf::KEYS;
use saved::{Saved, SavedConf};

/// The plugin.
pub static FLANNEL: PartPlugin =
    PartPlugin::of_link("flannel", |_| Ok(vec![Box::new(delegation::Delegation)]), &[&delegation::SAVED]);

/// The delegate of an attachment and the configuration its ADD got, for programs that look at what it has made; `None`
/// when nothing is saved.
///
/// # Errors
/// Code 5 or 6 when what is saved cannot be read.
pub fn delegate(network: &Network, id: &AttachmentId) -> Result<Option<(PluginName, Json)>> {
    match Saved::of(network).find(id)? {
        SavedConf::Nothing => Ok(None),
        SavedConf::Unreadable(_, error) => Err(error),
        SavedConf::Read(_, delegate) => Ok(Some((delegate.plugin, delegate.conf.json()))),
    }
}
