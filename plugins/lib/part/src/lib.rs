//! What an attachment owns on the host as types, and the verbs on it.
//!
//! A plugin is two lists. [`PartPlugin::parts`] are the parts its configuration asks for: ADD makes them in order,
//! CHECK and STATUS ask them in order. [`PartPlugin::owned`] is all that it could ever have made, whatever the
//! configuration says now: DEL and GC take it away, and no key is read for it. The verbs of a plugin cannot disagree,
//! since no plugin writes them.

mod addresses;
mod check;
mod configured;
mod container_link;
mod mac;
mod masquerade;
mod owned;
mod part;
mod plugin;
mod restore;
mod site;
mod spoof;
mod veth;

pub use addresses::{Lease, Leased};
pub use check::Expected;
pub use configured::Configured;
pub use container_link::{ContainerLink, LinkOfKind};
pub use mac::{MAC_ARG, MAC_KEYS, mac, mac_key};
pub use masquerade::Masquerade;
pub use owned::{Held, InContainer, Owned, Whose};
pub use part::{Made, Part, Parts, Restoring};
pub use plugin::PartPlugin;
pub use restore::Restored;
pub use site::{Host, Site, host_entry};
pub use spoof::SpoofCheck;
pub use veth::{PAIR, Pair};
