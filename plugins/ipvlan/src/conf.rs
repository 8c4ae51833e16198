//! The keys of `ipvlan`, read and validated.

use cni_net::attach::{self, Wanted};
use cni_net::{Ipvlan, Kind, Master, MasterName, Mtu};
use cni_types::{Code, Error, Network, Result};
use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Keys {
    mode: String,
    flag: String,
    mtu: Mtu,
}

/// # Errors
/// As [`attach::LinkPlugin::read`].
pub(crate) fn read(network: &Network) -> Result<Wanted> {
    let keys: Keys = network.conf()?;
    refuse_mac(network)?;
    let mut master = Master::read(network)?;
    let chained = network.json().get("prevResult").is_some() || network.ipam_type()?.is_none();
    if chained && master.name == MasterName::DefaultRoute {
        master.name = MasterName::Previous;
    }
    Ok(Wanted {
        master: Some(master),
        mtu: keys.mtu.bytes()?,
        takes_addresses: true,
        ..Wanted::new(Kind::Ipvlan(Ipvlan::new(&keys.mode, &keys.flag)?), network)?
    })
}

/// `CNI_ARGS` does not count: runtimes put a `MAC` there for all plugins, and the reference ignores it too.
fn refuse_mac(network: &Network) -> Result<()> {
    let Some((place, mac)) = attach::mac_key(network)? else { return Ok(()) };
    let text = format!("{place} is {mac:?}: an ipvlan has the MAC address of its master and no other");
    Err(Error::new(Code::UNSUPPORTED_FIELD, text).because("use macvlan for a MAC address per container"))
}
