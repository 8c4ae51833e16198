//! `portmap`: maps ports of the host to ports of a container. A chained plugin: it passes the previous result on.
//!
//! ADD makes the mappings of `runtimeConfig.portMappings` for the container's first address of each family, with
//! nftables (one batch over netlink) or iptables (one `iptables-restore` per family); lets 127.0.0.1 reach them; and
//! deletes tracked UDP and SCTP flows that would go elsewhere.
//!
//! Host state with nftables: elements in `table inet cni_portmap`, each with its owner as comment. With iptables: the
//! reference's chain of the container, or one of the interface's own, and the entries that lead to it. With both: a
//! claim in `/run/cni/portmap`. Shared chains, maps and `route_localnet` of the container's link stay. DEL removes the
//! attachment's state in both layouts and the reference's own from (network, container id, ifname) alone, and ends the
//! flows that went through. GC removes what belongs to attachments of the network that are no longer valid.
//!
//! Differs from the reference: see README.md.

mod backend;
mod check;
mod claim;
mod condition;
mod conf;
mod displace;
mod flows;
mod iptables;
mod localnet;
mod mapped;
mod mapping;
mod nft;
mod reference;
mod taken;
mod target;

use cni_part::PartPlugin;
use cni_types::SpecVersion;

pub use conf::KEYS;
pub use nft::declaration;

/// The plugin.
pub static PORTMAP: PartPlugin = PartPlugin {
    name: "portmap",
    versions: &SpecVersion::ALL,
    is_chained: true,
    parts: mapped::parts,
    owned: &[&mapped::MAPPINGS],
};
