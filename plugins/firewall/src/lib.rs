//! `firewall`: what the host forwards for the containers of a chain is accepted, and bridges may be isolated.
//!
//! ADD accepts what the addresses of prevResult send, and the answers they get, unless the administrator's chain says
//! otherwise; with `ingressPolicy` it keeps apart what comes through different bridges (`same-bridge`) and the
//! containers of one bridge, too (`isolated`). The result is prevResult, unchanged.
//!
//! Backends are the reference's iptables chains, nftables natively, and firewalld over D-Bus. Host state: see
//! `forward`. DEL removes what the container's addresses have, from (network, container id, ifname) alone; GC does so
//! for attachments that are no longer valid. Chains, sets, the administrator's chain and the policies of bridges stay.
//!
//! Differs from the reference: see README.md.

mod admission;
mod bridged;
mod conf;
mod firewalld;
mod forward;

use cni_part::PartPlugin;
use cni_types::SpecVersion;

pub use conf::KEYS;
pub use forward::declaration;

/// The plugin. The versions are those that the reference knows, too.
pub static FIREWALL: PartPlugin = PartPlugin {
    name: "firewall",
    versions: &[SpecVersion::V0_4_0, SpecVersion::V1_0_0, SpecVersion::V1_1_0],
    is_chained: true,
    parts: admission::parts,
    owned: &[&admission::ADMISSIONS],
};
