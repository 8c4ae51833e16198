//! The keys of `macvlan`, read and validated.

use cni_net::attach::{self, Wanted};
use cni_net::{Kind, Macvlan, Master, Mtu};
use cni_types::{Network, Result};
use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Keys {
    mode: String,
    #[serde(rename = "bcqueuelen")]
    bc_queue_length: u32,
    mtu: Mtu,
}

/// # Errors
/// As [`attach::LinkPlugin::read`].
pub(crate) fn read(network: &Network) -> Result<Wanted> {
    let keys: Keys = network.conf()?;
    let macvlan = Macvlan::new(&keys.mode, keys.bc_queue_length)?;
    Ok(Wanted {
        master: Some(Master::read(network)?),
        mtu: keys.mtu.bytes()?,
        mac: attach::mac(network)?,
        ..Wanted::new(Kind::Macvlan(macvlan), network)?
    })
}
