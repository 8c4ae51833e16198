//! `tap`: a link in the container whose other end is a program that opens it, such as a virtual machine.
//!
//! ADD makes the tap in the container, under its final name, by the kernel's own interface and without an `ip`
//! process: owner, group, queues, SELinux context, MTU and MAC address; puts it into a bridge in the container if one
//! is named; gives it the addresses and routes of IPAM if there is any, and brings it up. It is kept until DEL, whoever
//! opens and closes it.
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
pub static TAP: PartPlugin = PartPlugin::of_link("tap", conf::parts, &[&Leased(&conf::LINK)]);
