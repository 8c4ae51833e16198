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

pub use conf::KEYS;

/// The plugin.
pub static FLANNEL: PartPlugin =
    PartPlugin::of_link("flannel", |_| Ok(vec![Box::new(delegation::Delegation)]), &[&delegation::SAVED]);
