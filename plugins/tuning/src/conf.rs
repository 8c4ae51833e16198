//! The keys of `tuning`, read and validated.

pub(crate) mod sysctl;

use std::collections::BTreeMap;
use std::path::PathBuf;

use cni_net::Mtu;
use cni_types::{Key, Mac, Network, PluginKeys, Result, Text, Whole, keys};

use crate::attributes::Attributes;
use sysctl::Sysctls;

/// Where the backup files are, unless `dataDir` says otherwise.
const DATA_DIR: &str = "/run/cni/tuning";

/// Packets.
type QueueLength = Whole<0, { u32::MAX as i64 }>;

keys! {
    struct Keys {
        /// MAC address
        "mac" mac: Text<Mac>, otherwise("as it is");
        /// true switches promiscuous mode on; false changes nothing
        "promisc" promisc: bool;
        /// MTU in bytes
        "mtu" mtu: Mtu, otherwise("0: as it is");
        /// all-multicast mode on or off
        "allmulti" allmulti: Option<bool>, otherwise("as it is");
        /// length of the transmit queue in packets
        "txQLen" tx_queue_length: Option<QueueLength>, otherwise("as it is");
        "runtimeConfig" runtime_config: RuntimeConfig;
        "args" args: Args;
    }

    struct RuntimeConfig {
        /// wins over `mac` and `CNI_ARGS` `MAC`
        "mac" mac: Text<Mac>;
    }

    struct Args {
        /// wins over all others
        "cni" cni: ArgsKeys;
    }

    struct ArgsKeys {
        /// as above
        "mac" mac: Text<Mac>;
        /// as above
        "promisc" promisc: Option<bool>;
        /// as above
        "mtu" mtu: Option<Mtu>;
        /// as above
        "allmulti" allmulti: Option<bool>;
        /// as above
        "txQLen" tx_queue_length: Option<QueueLength>;
    }
}

/// What `tuning` can be told.
pub const KEYS: PluginKeys = PluginKeys {
    plugin: "tuning",
    keys: &[
        &[Key::of::<BTreeMap<String, String>>(
            "sysctl",
            "network sysctls and their values; `IFNAME` in a key is the interface's name",
        )],
        Keys::KEYS,
        &[
            Key::object(
                "args",
                &[Key::object(
                    "cni",
                    &[Key::of::<BTreeMap<String, String>>("sysctl", "added to those of `sysctl`")],
                )],
            ),
            Key::of::<String>("dataDir", "where the values before the change are kept").otherwise(DATA_DIR),
        ],
    ],
    args: &[Key::of::<Text<Mac>>("MAC", "wins over `mac`")],
};

/// A valid configuration.
#[derive(Debug)]
pub(crate) struct Conf {
    /// What to write in the container.
    pub(crate) sysctls: Sysctls,
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
    pub(crate) fn read(network: &Network) -> Result<Self> {
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
                .map(|length| length.read("txQLen"))
                .transpose()?,
        };
        Ok(Self { sysctls: Sysctls::read(network)?, attributes, mac_text: mac_text.unwrap_or_default() })
    }
}

/// The directory of the backup files; DEL reads nothing else of the configuration.
pub(crate) fn data_dir(network: &Network) -> PathBuf {
    let dir = network.json().get_str("dataDir").filter(|dir| !dir.is_empty());
    dir.unwrap_or(DATA_DIR).into()
}

fn mac(network: &Network, keys: &Keys) -> Result<Option<(Mac, String)>> {
    let [from_env] = network.args.values(["MAC"])?;
    let sources = [
        ("args.cni.mac", keys.args.cni.mac.as_str()),
        ("runtimeConfig.mac", keys.runtime_config.mac.as_str()),
        ("CNI_ARGS MAC", from_env.as_deref().unwrap_or_default()),
        ("mac", keys.mac.as_str()),
    ];
    Mac::configured(&sources)
}
