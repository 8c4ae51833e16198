//! `dummy`: a link in the container that drops what is sent through it: a place for addresses.
//!
//! ADD makes the link in the container, gives it the addresses and routes of IPAM and brings it up.
//!
//! Host state: none but the addresses in IPAM; the link goes with the container. DEL removes the link, also one that
//! the container has renamed, and gives the addresses back; GC gives back those of attachments that are no longer
//! valid.
//!
//! Differs from the reference: see README.md.

use cni_net::Kind;
use cni_net::configure::Told;
use cni_part::{ContainerLink, Lease, Leased, LinkOfKind, PartPlugin, Parts};
use cni_types::{Key, Network, PluginKeys, Result};

static LINK: LinkOfKind = LinkOfKind("dummy");

/// What it can be told.
pub const KEYS: PluginKeys =
    PluginKeys { plugin: "dummy", keys: &[&[Key::IPAM.required(), Key::DNS]], args: &[] };

/// The plugin.
pub static DUMMY: PartPlugin = PartPlugin::of_link("dummy", parts, &[&Leased(&LINK)]);

fn parts(network: &Network) -> Result<Parts> {
    let link = ContainerLink::new(&LINK, Kind::Dummy);
    Ok(link.with(Lease::required(network)?, Told::Nobody))
}
