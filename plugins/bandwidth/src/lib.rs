//! `bandwidth`: limits the rate of a container's interface, in a chain behind a plugin that makes veth pairs.
//!
//! ADD puts a token bucket on the host end of the pair for what goes to the container, and sends what comes from it
//! through an ifb with a token bucket of its own. tc is spoken natively.
//!
//! Host state: the ifb, `bwp` + 12 hex digits, tagged with its owner (`ip link show` prints it as the alias), which DEL
//! removes from (network, container id, ifname) alone and GC when the attachment is no longer valid; the qdiscs and the
//! filter of the host end, which go with the pair.
//!
//! Differs from the reference: see README.md.

mod add;
mod check;
mod host_end;
mod limit;
mod limiter;

use cni_part::PartPlugin;
use cni_types::SpecVersion;

pub use limit::KEYS;

/// The plugin. Result lists of interfaces came with 0.3.0, and without one there is nothing to limit.
pub static BANDWIDTH: PartPlugin = PartPlugin {
    name: "bandwidth",
    versions: &[
        SpecVersion::V0_3_0,
        SpecVersion::V0_3_1,
        SpecVersion::V0_4_0,
        SpecVersion::V1_0_0,
        SpecVersion::V1_1_0,
    ],
    is_chained: true,
    parts: limiter::parts,
    owned: &[&limiter::IFBS],
};
