//! `vrf`: puts a container's interface into a VRF, a routing domain of its own, in a chain behind the plugin that made
//! the interface.
//!
//! ADD makes the VRF in the container's namespace where there is none of this name, makes the interface its member, and
//! puts back what the kernel takes from an interface then: IPv6 addresses and routes, the latter in the VRF's table.
//!
//! Host state: none. In the container's namespace the VRF, tagged with the attachment that it was made for (`ip link
//! show` prints the tag as its alias). DEL takes the interface out and deletes the VRF with its last member.
//!
//! Differs from the reference: see README.md.

mod add;
mod check;
mod conf;
mod del;
mod membership;

use cni_part::PartPlugin;
use cni_types::SpecVersion;

pub use conf::KEYS;

/// The plugin. Versions are the reference's: from 0.3.1 on.
pub static VRF: PartPlugin = PartPlugin {
    name: "vrf",
    versions: &[SpecVersion::V0_3_1, SpecVersion::V0_4_0, SpecVersion::V1_0_0, SpecVersion::V1_1_0],
    is_chained: true,
    parts: membership::parts,
    owned: &[&membership::MEMBERSHIPS],
};
