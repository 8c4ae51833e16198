//! `tuning`: sysctls and link attributes of a container's interface, in a chain behind the plugin that made it.
//!
//! ADD writes the sysctls in the container's namespace (below `/proc/sys/net` only, and only what the node's allow-list
//! has), then sets MAC address, MTU, promiscuous mode, all-multicast mode and the length of the transmit queue.
//!
//! Host state: a backup file with the attributes' values before the change, `<dataDir>/<container id>_<ifname>.json`.
//! DEL restores the attributes from it and removes it; GC removes those of attachments of the network that are no
//! longer valid. Sysctls go with the namespace.
//!
//! Differs from the reference: see README.md.

mod add;
mod allowlist;
mod attributes;
mod backup;
mod check;
mod conf;
mod del;
mod tuned;

use cni_part::PartPlugin;
use cni_types::SpecVersion;

pub use conf::KEYS;

/// The plugin.
pub static TUNING: PartPlugin = PartPlugin {
    name: "tuning",
    versions: &SpecVersion::ALL,
    is_chained: true,
    parts: tuned::parts,
    owned: &[&tuned::CHANGES],
};
