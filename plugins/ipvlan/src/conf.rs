//! The keys of `ipvlan`, read and validated.

use cni_net::{Ipvlan, Kind, Master, MasterName, Mtu};
use cni_part::{Configured, ContainerLink, Lease, Parts, mac_key};
use cni_types::{Code, Error, Network, Result};
use serde::Deserialize;

use crate::LINK;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Keys {
    mode: String,
    flag: String,
    mtu: Mtu,
}

/// # Errors
/// As [`cni_part::PartPlugin::parts`].
pub(crate) fn parts(network: &Network) -> Result<Parts> {
    let keys: Keys = network.conf()?;
    refuse_mac(network)?;
    let mut master = Master::read(network)?;
    let chained = network.json().get("prevResult").is_some() || network.ipam_type()?.is_none();
    if chained && master.name == MasterName::DefaultRoute {
        master.name = MasterName::Previous;
    }
    let link = ContainerLink {
        master: Some(master),
        mtu: keys.mtu.bytes()?,
        ..ContainerLink::new(&LINK, Kind::Ipvlan(Ipvlan::new(&keys.mode, &keys.flag)?))
    };
    Ok(link.with(Lease::or_chain(network)?, &Configured::TELL_SEGMENT))
}

/// `CNI_ARGS` does not count: runtimes put a `MAC` there for all plugins, and the reference ignores it too.
fn refuse_mac(network: &Network) -> Result<()> {
    let Some((place, mac)) = mac_key(network)? else { return Ok(()) };
    let text = format!("{place} is {mac:?}: an ipvlan has the MAC address of its master and no other");
    Err(Error::new(Code::UNSUPPORTED_FIELD, text).because("use macvlan for a MAC address per container"))
}
