//! `ptp`: one veth pair between the host and the container, routed.
//!
//! ADD makes the pair complete in one request, gives the container its addresses with everything routed through the
//! gateway, puts the gateway's address on the host end and a host route to the container behind it, enables
//! forwarding of the families in use and, with `ipMasq`, masquerades what leaves the subnet.
//!
//! Host state: the host end `veth` + 8 hex digits of the attachment's hash, tagged with its owner (`ip link show`
//! prints it as the alias), masquerade entries, the forwarding sysctls (never reverted). DEL removes all but the
//! sysctls, from (network, container id, ifname) alone. GC removes tagged host ends, masquerade entries and addresses
//! of attachments that are no longer valid.
//!
//! Differs from the reference: see README.md.

mod conf;
mod end;
mod ends;

use cni_part::{Leased, Masquerade, PAIR, PartPlugin};

pub use conf::KEYS;

/// The plugin.
pub static PTP: PartPlugin = PartPlugin::of_link("ptp", conf::parts, &[Masquerade::OWNED, &Leased(PAIR)]);
