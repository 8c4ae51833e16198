//! The keys of `vlan`, read and validated.

use cni_net::attach::Wanted;
use cni_net::{Kind, Master, Mtu, Vlan};
use cni_skel::delegate::ipam;
use cni_types::{Network, Result};
use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Keys {
    vlan_id: i64,
    mtu: Mtu,
}

/// # Errors
/// As [`cni_net::attach::LinkPlugin::read`].
pub(crate) fn read(network: &Network) -> Result<Wanted> {
    let keys: Keys = network.conf()?;
    ipam::required(network)?;
    Ok(Wanted {
        master: Some(Master::required(network)?),
        mtu: keys.mtu.bytes()?,
        ..Wanted::new(Kind::Vlan(Vlan::new(keys.vlan_id)?), network)?
    })
}
