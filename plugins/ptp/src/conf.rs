//! The keys of `ptp`, read and validated.

use cni_filter::masquerade::Backend;
use cni_net::{Mtu, veth};
use cni_part::{Lease, Masquerade, Pair, Parts};
use cni_types::{Network, Result};
use serde::Deserialize;

use crate::ends::Ends;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Keys {
    ip_masq: bool,
    ip_masq_backend: String,
    mtu: Mtu,
}

/// # Errors
/// As [`cni_part::PartPlugin::parts`].
pub(crate) fn parts(network: &Network) -> Result<Parts> {
    let keys: Keys = network.conf()?;
    let backend = Some(keys.ip_masq_backend.as_str()).filter(|text| !text.is_empty());
    let backend = backend.map(Backend::parse).transpose()?;
    let pair = Pair { wanted: veth::NewPair { mtu: keys.mtu.bytes()?, ..veth::NewPair::default() } };
    let mut parts: Parts = vec![Box::new(pair), Box::new(Lease::required(network)?), Box::new(Ends)];
    if keys.ip_masq {
        parts.push(Box::new(Masquerade { backend }));
    }
    Ok(parts)
}
