//! `bridge`: connects a container to a Linux bridge on the host by a veth pair.
//!
//! ADD makes the bridge if it is not there, the pair complete in one request (host end a port of the bridge, the other
//! end in the container), VLANs and port flags, the container's addresses and routes, the gateway's address on the
//! bridge, masquerade and the MAC spoof check; waits until the port forwards; corrects the host's neighbour entries and
//! announces the addresses.
//!
//! Host state: the bridge, a VLAN's gateway link `<bridge>.<vlan>` and the forwarding sysctls stay for good; the host
//! end `veth` + 8 hex digits of the attachment's hash carries its owner's tag as alias; masquerade and spoof-check
//! entries carry it as comment. DEL removes all that belongs to the attachment from (network, container id, ifname)
//! alone. GC removes what belongs to attachments of the network that are no longer valid.
//!
//! Differs from the reference: see README.md.

mod announcement;
mod bridge_link;
mod conf;
mod gateway;
mod port;

use cni_part::{Leased, Masquerade, PAIR, PartPlugin, SpoofCheck};

pub use conf::KEYS;

/// The plugin.
pub static BRIDGE: PartPlugin =
    PartPlugin::of_link("bridge", conf::parts, &[Masquerade::OWNED, SpoofCheck::OWNED, &Leased(PAIR)]);
