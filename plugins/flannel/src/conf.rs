//! The keys of `flannel`, read and validated.

use std::path::PathBuf;

use cni_types::{Error, Json, Key, Network, PluginKeys, PluginName, Result, Route, Text, fields, keys};

use crate::object::Object;

/// Where flanneld writes, and where the delegates' configurations are kept, unless the keys say otherwise.
const SUBNET_FILE: &str = "/run/flannel/subnet.env";
const DATA_DIR: &str = "/var/lib/cni/flannel";

/// The objects, to be handed on as they are written.
#[derive(Default)]
struct Objects {
    delegate: Object,
    ipam: Object,
    runtime_config: Option<Object>,
}

fields!(Objects { "delegate" delegate, "ipam" ipam, "runtimeConfig" runtime_config });

keys! {
    struct Keys {
        /// the delegate's configuration, any keys but `name` and `ipam`
        "delegate" delegate: Delegate;
        /// keys for the delegate's IPAM plugin
        "ipam" ipam: Ipam;
        /// what flanneld writes
        "subnetFile" subnet_file: String, otherwise("`/run/flannel/subnet.env`");
    }

    struct Delegate {
        /// the plugin that does the work, looked for in `CNI_PATH` only
        "type" plugin: Text<PluginName>, otherwise("`bridge`");
    }

    #[allow(dead_code, reason = "decoding is the check; they are handed on as they are written")]
    struct Ipam {
        /// the IPAM plugin
        "type" plugin: String, otherwise("`host-local`");
        /// come before the routes to the cluster's networks
        "routes" routes: Vec<Route>;
    }
}

/// What `flannel` can be told.
pub const KEYS: PluginKeys = PluginKeys {
    plugin: "flannel",
    keys: &[
        Keys::KEYS,
        &[
            Key::of::<String>("dataDir", "where the delegate's configuration is kept until DEL")
                .otherwise(DATA_DIR),
            Key::of::<Option<Json>>("runtimeConfig", "handed on to the delegate"),
        ],
    ],
    args: &[],
};

/// A valid configuration.
#[derive(Debug)]
pub(crate) struct Conf {
    /// What flanneld writes.
    pub(crate) subnet_file: PathBuf,
    /// The plugin that does the work.
    pub(crate) plugin: PluginName,
    /// Its keys.
    pub(crate) delegate: Object,
    /// The keys of its IPAM plugin.
    pub(crate) ipam: Object,
    /// What the runtime adds.
    pub(crate) runtime_config: Option<Object>,
}

impl Conf {
    /// # Errors
    /// Code 6 for a value of the wrong type, code 7 for one that is not allowed.
    pub(crate) fn read(network: &Network) -> Result<Self> {
        let Keys { subnet_file, delegate: Delegate { plugin, .. }, .. } = network.conf()?;
        let Objects { delegate, ipam, runtime_config } = network.conf()?;
        for key in ["name", "ipam"] {
            if delegate.has(key) {
                return Err(Error::config(format!("\"delegate\" must not have a key {key:?}"))
                    .because("flannel sets it: put IPAM keys into the \"ipam\" object beside \"delegate\""));
            }
        }
        let plugin = if delegate.has("type") { plugin } else { Text::from("bridge") };
        let plugin = plugin.read("delegate.type")?;
        let subnet_file = if subnet_file.is_empty() { SUBNET_FILE.to_owned() } else { subnet_file };
        Ok(Self { subnet_file: subnet_file.into(), plugin, delegate, ipam, runtime_config })
    }
}

/// The directory of the saved configurations; DEL reads nothing else of the configuration.
pub(crate) fn data_dir(network: &Network) -> PathBuf {
    let dir = network.json().get_str("dataDir").filter(|dir| !dir.is_empty());
    dir.unwrap_or(DATA_DIR).into()
}
