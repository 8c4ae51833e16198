//! The keys of `flannel`, read and validated.

use std::path::PathBuf;

use cni_types::{Doing, Error, Network, PluginName, Result, Route};
use serde::Deserialize;

use crate::object::Object;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Keys {
    subnet_file: String,
    delegate: Object,
    ipam: Object,
    runtime_config: Option<Object>,
}

/// The values of known type in the objects above.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Typed {
    delegate: Delegate,
    ipam: Ipam,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Delegate {
    r#type: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
#[allow(dead_code, reason = "decoding is the check; they are handed on as they are written")]
struct Ipam {
    r#type: String,
    routes: Vec<Route>,
}

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
        let Keys { subnet_file, delegate, ipam, runtime_config } = network.conf()?;
        let typed: Typed = network.conf()?;
        for key in ["name", "ipam"] {
            if delegate.has(key) {
                return Err(Error::config(format!("\"delegate\" must not have a key {key:?}"))
                    .because("flannel sets it: put IPAM keys into the \"ipam\" object beside \"delegate\""));
            }
        }
        let plugin = if delegate.has("type") { &typed.delegate.r#type } else { "bridge" };
        let plugin = PluginName::new(plugin).doing("delegate.type")?;
        let subnet_file = if subnet_file.is_empty() { "/run/flannel/subnet.env".into() } else { subnet_file };
        Ok(Self { subnet_file: subnet_file.into(), plugin, delegate, ipam, runtime_config })
    }
}

/// The directory of the saved configurations; DEL reads nothing else of the configuration.
pub(crate) fn data_dir(network: &Network) -> PathBuf {
    let dir = network.json().get_str("dataDir").filter(|dir| !dir.is_empty());
    dir.unwrap_or("/var/lib/cni/flannel").into()
}
