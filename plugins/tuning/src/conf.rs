//! The keys of `tuning`, read and validated.

pub(crate) mod sysctl;

use std::path::PathBuf;

use cni_net::Mtu;
use cni_types::{Error, IfName, Mac, Network, Result};
use serde::Deserialize;

use crate::attributes::Attributes;
use sysctl::Sysctl;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Keys {
    mac: String,
    promisc: bool,
    mtu: Mtu,
    allmulti: Option<bool>,
    #[serde(rename = "txQLen")]
    tx_queue_length: Option<i64>,
    runtime_config: RuntimeConfig,
    args: Args,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RuntimeConfig {
    mac: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Args {
    cni: ArgsKeys,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ArgsKeys {
    mac: String,
    promisc: Option<bool>,
    mtu: Option<Mtu>,
    allmulti: Option<bool>,
    #[serde(rename = "txQLen")]
    tx_queue_length: Option<i64>,
}

/// A valid configuration.
#[derive(Debug)]
pub(crate) struct Conf {
    /// What to write in the container, in the configuration's order.
    pub(crate) sysctls: Vec<Sysctl>,
    /// What to set on the link.
    pub(crate) attributes: Attributes,
    /// The MAC address as it is written, for the result.
    pub(crate) mac_text: String,
}

impl Conf {
    /// `args.cni` wins over `runtimeConfig`, that over `CNI_ARGS`, that over the plugin's own keys.
    ///
    /// # Errors
    /// Code 6 for a value of the wrong type, code 7 for one that is not allowed, code 4 for `CNI_ARGS` that cannot be
    /// read.
    pub(crate) fn read(network: &Network, ifname: &IfName) -> Result<Self> {
        Self::with(network, Some(ifname.as_str()))
    }

    /// The same where there is no interface: `IFNAME` stays as it is.
    pub(crate) fn read_without_interface(network: &Network) -> Result<Self> {
        Self::with(network, None)
    }

    fn with(network: &Network, ifname: Option<&str>) -> Result<Self> {
        let keys: Keys = network.conf()?;
        let args = &keys.args.cni;
        let (mac, mac_text) = mac(network, &keys)?.unzip();
        let mtu = args.mtu.unwrap_or(keys.mtu).bytes()?;
        let attributes = Attributes {
            mac,
            // Off is not applied: the plugin before may have had a reason to switch it on.
            promiscuous: args.promisc.unwrap_or(keys.promisc).then_some(true),
            mtu: Some(mtu).filter(|&mtu| mtu != 0),
            all_multicast: args.allmulti.or(keys.allmulti),
            tx_queue_length: args
                .tx_queue_length
                .or(keys.tx_queue_length)
                .map(tx_queue_length)
                .transpose()?,
        };
        Ok(Self { sysctls: sysctls(network, ifname)?, attributes, mac_text: mac_text.unwrap_or_default() })
    }
}

/// The directory of the backup files; DEL reads nothing else of the configuration.
pub(crate) fn data_dir(network: &Network) -> PathBuf {
    let dir = network.json().get_str("dataDir").filter(|dir| !dir.is_empty());
    dir.unwrap_or("/run/cni/tuning").into()
}

/// Those of `args.cni.sysctl` replace those of `sysctl` and come behind the others.
fn sysctls(network: &Network, ifname: Option<&str>) -> Result<Vec<Sysctl>> {
    let mut sysctls = sysctl::read("sysctl", network.json().get("sysctl"), ifname)?;
    let args = network.json().get("args").and_then(|args| args.get("cni")).and_then(|cni| cni.get("sysctl"));
    for sysctl in sysctl::read("args.cni.sysctl", args, ifname)? {
        sysctls.retain(|s| s.name != sysctl.name);
        sysctls.push(sysctl);
    }
    Ok(sysctls)
}

fn mac(network: &Network, keys: &Keys) -> Result<Option<(Mac, String)>> {
    let [from_env] = network.args.values(["MAC"])?;
    let sources = [
        ("args.cni.mac", keys.args.cni.mac.as_str()),
        ("runtimeConfig.mac", &keys.runtime_config.mac),
        ("CNI_ARGS MAC", from_env.as_deref().unwrap_or_default()),
        ("mac", &keys.mac),
    ];
    Mac::configured(&sources)
}

fn tx_queue_length(value: i64) -> Result<u32> {
    let refused = |_| Error::config(format!("invalid txQLen {value}: it must be 0–{} packets", u32::MAX));
    u32::try_from(value).map_err(refused)
}
