//! The keys of `macvlan`, read and validated.

use cni_net::attach::OnMaster;
use cni_net::{Kind, Macvlan, MacvlanMode, MasterConf};
use cni_types::{Mac, Network, Result};
use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Keys {
    mode: String,
    mac: String,
    #[serde(rename = "bcqueuelen")]
    bc_queue_length: u32,
    #[serde(rename = "runtimeConfig")]
    runtime_config: RuntimeConfig,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RuntimeConfig {
    mac: String,
}

/// # Errors
/// Code 6 for a value of the wrong type, code 7 for one that is not allowed, code 4 for `CNI_ARGS` that cannot be read.
pub(crate) fn read(network: &Network) -> Result<OnMaster> {
    let keys: Keys = network.conf()?;
    let mode = if keys.mode.is_empty() { MacvlanMode::Bridge } else { keys.mode.parse()? };
    Ok(OnMaster {
        master: MasterConf::read(network)?,
        kind: Kind::Macvlan(Macvlan { mode, bc_queue_length: keys.bc_queue_length }),
        mac: mac(network, &keys)?,
        dns: network.dns()?,
    })
}

/// runtimeConfig before `CNI_ARGS` before the plugin's own key.
fn mac(network: &Network, keys: &Keys) -> Result<Option<Mac>> {
    let [from_env] = network.args.values(["MAC"])?;
    let sources = [
        ("runtimeConfig.mac", keys.runtime_config.mac.as_str()),
        ("CNI_ARGS MAC", from_env.as_deref().unwrap_or_default()),
        ("mac", &keys.mac),
    ];
    Ok(Mac::configured(&sources)?.map(|(mac, _)| mac))
}
