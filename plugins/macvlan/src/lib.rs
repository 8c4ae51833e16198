//! `macvlan`: a link in the container with an address of its own on a link (the master) of the host or the container.
//!
//! ADD makes the link in the container, in one request and under its final name, gives it the addresses and routes of
//! IPAM, brings it up and tells the segment where the addresses are now.
//!
//! Host state: none but the addresses in IPAM; the link goes with the container. DEL removes the link, also one that
//! the container has renamed, and gives the addresses back; GC gives back those of attachments that are no longer valid.
//!
//! Differs from the reference: see README.md.

mod conf;

use cni_net::attach::{self, Addresses};
use cni_types::{About, Attachment, CniResult, Detachment, Network, Plugin, Result, SpecVersion};

/// The plugin.
pub struct Macvlan;

impl Plugin for Macvlan {
    fn about(&self) -> About {
        About { name: "macvlan", versions: &SpecVersion::ALL }
    }

    fn add(&self, attachment: &Attachment) -> Result<CniResult> {
        conf::read(&attachment.network)?.add(attachment, Addresses::Ipam)
    }

    fn check(&self, attachment: &Attachment) -> Result<()> {
        conf::read(&attachment.network)?.check(attachment)
    }

    fn del(&self, detachment: &Detachment) -> Result<()> {
        attach::del(detachment, "macvlan")
    }

    fn gc(&self, network: &Network) -> Result<()> {
        attach::gc(network)
    }

    fn status(&self, network: &Network) -> Result<()> {
        conf::read(network)?.status(network)
    }
}
