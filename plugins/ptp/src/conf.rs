//! The keys of `ptp`, read and validated.

use cni_filter::masquerade::Backend;
use cni_net::Mtu;
use cni_types::{Dns, Network, Result};
use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Keys {
    ip_masq: bool,
    ip_masq_backend: String,
    mtu: Mtu,
}

/// A valid configuration.
pub(crate) struct Conf {
    /// Masquerade what leaves the subnet.
    pub(crate) masquerade: bool,
    /// With the backend that was asked for, if one was.
    pub(crate) backend: Option<Backend>,
    /// MTU in bytes; 0 leaves the kernel's default.
    pub(crate) mtu: u32,
    /// Replaces what IPAM says.
    pub(crate) dns: Option<Dns>,
}

impl Conf {
    /// # Errors
    /// Code 6 for a value of the wrong type, code 7 for one that is not allowed.
    pub(crate) fn read(network: &Network) -> Result<Self> {
        let keys: Keys = network.conf()?;
        let backend = Some(keys.ip_masq_backend.as_str()).filter(|text| !text.is_empty());
        let backend = backend.map(Backend::parse).transpose()?;
        Ok(Self { masquerade: keys.ip_masq, backend, mtu: keys.mtu.bytes()?, dns: network.dns()? })
    }
}
