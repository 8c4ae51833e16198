//! The keys of `ptp`, read and validated.

use cni_filter::masquerade::Backend;
use cni_net::{Mtu, veth};
use cni_part::{Lease, Masquerade, Pair, Parts};
use cni_types::{Key, Network, PluginKeys, Result, Text, keys};

use crate::ends::Ends;

keys! {
    struct Keys {
        /// masquerade what leaves the subnet
        "ipMasq" ip_masq: bool;
        /// what carries the masquerade
        "ipMasqBackend" ip_masq_backend: Text<Backend>,
            otherwise("`iptables`, or `nftables` where only that works");
        /// MTU of both ends in bytes
        "mtu" mtu: Mtu;
    }
}

/// What `ptp` can be told.
pub const KEYS: PluginKeys = PluginKeys {
    plugin: "ptp",
    keys: &[
        &[Key::IPAM.required().saying("the IPAM plugin, with its keys; every address needs a gateway")],
        Keys::KEYS,
        &[Key::DNS],
    ],
    args: &[],
};

/// # Errors
/// As [`cni_part::PartPlugin::parts`].
pub(crate) fn parts(network: &Network) -> Result<Parts> {
    let keys: Keys = network.conf()?;
    let backend = keys.ip_masq_backend.read_if_given("ipMasqBackend")?;
    let pair = Pair { wanted: veth::NewPair { mtu: keys.mtu.bytes()?, ..veth::NewPair::default() } };
    let mut parts: Parts = vec![Box::new(pair), Box::new(Lease::required(network)?), Box::new(Ends)];
    if keys.ip_masq {
        parts.push(Box::new(Masquerade::with(backend)?));
    }
    Ok(parts)
}
