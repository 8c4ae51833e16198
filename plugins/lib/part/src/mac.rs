//! The hardware address that a configuration asks for.

use cni_types::{Key, Mac, Network, Result, Text, keys};

keys! {
    struct Keys {
        /// MAC address
        "mac" mac: Text<Mac>, otherwise("the kernel's choice");
        "runtimeConfig" runtime_config: RuntimeConfig;
    }

    struct RuntimeConfig {
        /// wins over `CNI_ARGS` `MAC` and `mac`
        "mac" mac: Text<Mac>;
    }
}

/// The keys that [`mac`] reads.
pub const MAC_KEYS: &[Key] = Keys::KEYS;
/// The key of `CNI_ARGS` that [`mac`] reads.
pub const MAC_ARG: Key = Key::of::<Text<Mac>>("MAC", "wins over `mac`");

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
        ("mac", keys.mac.as_str()),
    ];
    Ok(Mac::configured(&sources)?.map(|(mac, _)| mac))
}

/// The place of `mac` or `runtimeConfig.mac` with its value, if either says anything.
///
/// # Errors
/// Code 6 for a value of the wrong type.
pub fn mac_key(network: &Network) -> Result<Option<(&'static str, String)>> {
    let keys: Keys = network.conf()?;
    let sources = [("runtimeConfig.mac", keys.runtime_config.mac.as_str()), ("mac", keys.mac.as_str())];
    Ok(sources.into_iter().find(|(_, text)| !text.is_empty()).map(|(key, text)| (key, text.to_owned())))
}
