//! The keys of `macvlan`, read and validated.

use cni_net::{Kind, Macvlan, Master, Mtu};
use cni_part::{Configured, ContainerLink, Lease, Parts, mac};
use cni_types::{Network, Result};
use serde::Deserialize;

use crate::LINK;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Keys {
    mode: String,
    #[serde(rename = "bcqueuelen")]
    bc_queue_length: u32,
    mtu: Mtu,
}

/// # Errors
/// As [`cni_part::PartPlugin::parts`].
pub(crate) fn parts(network: &Network) -> Result<Parts> {
    let keys: Keys = network.conf()?;
    let macvlan = Macvlan::new(&keys.mode, keys.bc_queue_length)?;
    let link = ContainerLink {
        master: Some(Master::read(network)?),
        mtu: keys.mtu.bytes()?,
        mac: mac(network)?,
        ..ContainerLink::new(&LINK, Kind::Macvlan(macvlan))
    };
    Ok(link.with(Lease::new(network)?, &Configured::TELL_SEGMENT))
}
