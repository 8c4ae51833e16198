//! The keys of `tap`, read and validated.

use cni_net::{Kind, Mtu, Tap};
use cni_part::{ContainerLink, Lease, Parts, mac};
use cni_types::{Code, Doing, IfName, Network, Result};
use serde::Deserialize;

use crate::LINK;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Keys {
    multi_queue: bool,
    owner: Option<u32>,
    group: Option<u32>,
    selinux_context: String,
    bridge: String,
    mtu: Mtu,
}

/// # Errors
/// As [`cni_part::PartPlugin::parts`].
pub(crate) fn parts(network: &Network) -> Result<Parts> {
    let keys: Keys = network.conf()?;
    let bridge = Some(keys.bridge.as_str()).filter(|name| !name.is_empty()).map(IfName::new).transpose();
    let tap = Tap {
        owner: keys.owner,
        group: keys.group,
        multi_queue: keys.multi_queue,
        selinux_context: Some(keys.selinux_context).filter(|context| !context.is_empty()),
    };
    let link = ContainerLink {
        bridge: bridge.map_err(|e| e.with_code(Code::CONFIG)).doing("key \"bridge\"")?,
        mtu: keys.mtu.bytes()?,
        mac: mac(network)?,
        ..ContainerLink::new(&LINK, Kind::Tap(tap))
    };
    Ok(link.with(Lease::new(network)?, &[]))
}
