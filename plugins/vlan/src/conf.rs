//! The keys of `vlan`, read and validated.

use cni_net::{Kind, Master, Mtu, Vlan};
use cni_part::{Configured, ContainerLink, Lease, Parts};
use cni_types::{Network, Result};
use serde::Deserialize;

use crate::LINK;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Keys {
    vlan_id: i64,
    mtu: Mtu,
}

/// # Errors
/// As [`cni_part::PartPlugin::parts`].
pub(crate) fn parts(network: &Network) -> Result<Parts> {
    let keys: Keys = network.conf()?;
    let lease = Lease::required(network)?;
    let link = ContainerLink {
        master: Some(Master::required(network)?),
        mtu: keys.mtu.bytes()?,
        ..ContainerLink::new(&LINK, Kind::Vlan(Vlan::new(keys.vlan_id)?))
    };
    Ok(link.with(lease, &Configured::TELL_SEGMENT))
}
