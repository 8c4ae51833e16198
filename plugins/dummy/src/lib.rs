//! `dummy`: a link in the container that drops what is sent through it: a place for addresses.
//!
//! ADD makes the link in the container, gives it the addresses and routes of IPAM and brings it up.
//!
//! Host state: none but the addresses in IPAM; the link goes with the container. DEL removes the link, also one that
//! the container has renamed, and gives the addresses back; GC gives back those of attachments that are no longer valid.
//!
//! Differs from the reference: see README.md.

use cni_net::Kind;
use cni_net::attach::{LinkPlugin, Wanted};
use cni_skel::delegate::ipam;
use cni_types::{Network, Result};

/// The plugin.
pub static DUMMY: LinkPlugin = LinkPlugin { name: "dummy", kind: "dummy", read };

fn read(network: &Network) -> Result<Wanted> {
    ipam::required(network)?;
    Wanted::new(Kind::Dummy, network)
}
