//! The hardware address that a configuration asks for.

use cni_types::{Mac, Network, Result};
use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Keys {
    mac: String,
    #[serde(rename = "runtimeConfig")]
    runtime_config: RuntimeConfig,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RuntimeConfig {
    mac: String,
}

/// `runtimeConfig.mac` before `CNI_ARGS` `MAC` before the plugin's own key `mac`.
///
/// # Errors
/// Code 7 naming the place where something else than the address of one interface stands, code 6 for a value of the
/// wrong type, code 4 for `CNI_ARGS` that cannot be read.
pub fn mac(network: &Network) -> Result<Option<Mac>> {
    let keys: Keys = network.conf()?;
    let [from_env] = network.args.values(["MAC"])?;
    let sources = [
        ("runtimeConfig.mac", keys.runtime_config.mac.as_str()),
        ("CNI_ARGS MAC", from_env.as_deref().unwrap_or_default()),
        ("mac", &keys.mac),
    ];
    Ok(Mac::configured(&sources)?.map(|(mac, _)| mac))
}

/// The place of `mac` or `runtimeConfig.mac` with its value, if either says anything.
///
/// # Errors
/// Code 6 for a value of the wrong type.
pub fn mac_key(network: &Network) -> Result<Option<(&'static str, String)>> {
    let keys: Keys = network.conf()?;
    let sources = [("runtimeConfig.mac", keys.runtime_config.mac), ("mac", keys.mac)];
    Ok(sources.into_iter().find(|(_, text)| !text.is_empty()))
}
