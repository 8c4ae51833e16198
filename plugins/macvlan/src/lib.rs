//! `macvlan`: a link in the container with an address of its own on a link (the master) of the host or the container.
//!
//! ADD makes the link in the container, in one request and under its final name, gives it the addresses and routes of
//! IPAM, brings it up and tells the segment where the addresses are now.
//!
//! Host state: none but the addresses in IPAM; the link goes with the container. DEL removes the link, also one that
//! the container has renamed, and gives the addresses back; GC gives back those of attachments that are no longer
//! valid.
//!
//! Differs from the reference: see README.md.

mod conf;

use cni_part::{Leased, PartPlugin};

pub use conf::KEYS;

/// The plugin.
pub static MACVLAN: PartPlugin = PartPlugin::of_link("macvlan", conf::parts, &[&Leased(&conf::LINK)]);
