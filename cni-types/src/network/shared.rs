//! The keys that all plugins share.

use std::collections::BTreeMap;

use crate::json::Json;
use crate::key::Key;
use crate::keys;
use crate::result::Dns;

keys! {
    /// The keys that all plugins share, typed so that whoever hands configurations on can tell a mistake in one.
    pub struct Shared {
        /// the version of the specification that the result is wanted in
        "cniVersion" cni_version: String, otherwise("0.1.0");
        /// the network's name: letters, digits, `_`, `.`, `-`
        "name" name: String, required();
        /// the plugin, looked for in `CNI_PATH` only
        "type" plugin: String, required();
        /// what the plugin takes from the runtime: each name here becomes a key of `runtimeConfig`
        "capabilities" capabilities: BTreeMap<String, bool>;
        /// what the runtime says about the capabilities
        "runtimeConfig" runtime_config: Option<Json>;
        /// what whoever makes the container says, in `cni`
        "args" args: Option<Json>;
        /// the IPAM plugin, with its keys
        "ipam" ipam: Ipam;
        /// resolver settings
        "dns" dns: Dns;
        /// the result of the plugins before
        "prevResult" prev_result: BTreeMap<String, Json>;
        /// GC: the attachments that are still in use
        "cni.dev/valid-attachments" valid_attachments: Vec<ValidAttachment>;
    }

    /// The shared keys of `ipam`.
    pub struct Ipam {
        /// the IPAM plugin, looked for in `CNI_PATH` only
        "type" plugin: String;
    }

    /// An attachment that is still in use.
    pub struct ValidAttachment {
        /// as in `CNI_CONTAINERID`
        "containerID" container_id: String, required();
        /// as in `CNI_IFNAME`
        "ifname" ifname: String, required();
    }

    /// What says whether there is an IPAM plugin.
    pub(super) struct Delegation {
        "ipam" ipam: Ipam;
    }
}

impl Key {
    /// The IPAM plugin of a plugin that can do without one.
    pub const IPAM: Self =
        Self::of::<Ipam>("ipam", "the IPAM plugin, with its keys").otherwise("none: layer 2 only");
}
