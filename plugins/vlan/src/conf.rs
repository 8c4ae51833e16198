//! The keys of `vlan`, read and validated.

use cni_net::configure::Told;
use cni_net::{Kind, Master, Mtu, Vlan};
use cni_part::{ContainerLink, Lease, LinkOfKind, Parts};
use cni_types::{Key, Network, PluginKeys, Result, Whole, keys};

/// What ADD makes, and DEL removes.
pub(crate) static LINK: LinkOfKind = LinkOfKind("vlan");

keys! {
    struct Keys {
        /// the VLAN; packets of 0 carry a priority only
        "vlanId" vlan_id: Whole<0, { Vlan::ID_MAX }>;
        /// MTU in bytes, at most the master's
        "mtu" mtu: Mtu, otherwise("0: the master's");
    }
}

/// What `vlan` can be told.
pub const KEYS: PluginKeys = PluginKeys {
    plugin: "vlan",
    keys: &[
        &[
            Master::NAME.required().saying(
                "the link it is on, by its name or an alternative one; it must be up, a carrier is not needed",
            ),
            Master::PLACE,
        ],
        Keys::KEYS,
        &[Key::IPAM.required(), Key::DNS],
    ],
    args: &[],
};

/// # Errors
/// As [`cni_part::PartPlugin::parts`].
pub(crate) fn parts(network: &Network) -> Result<Parts> {
    let keys: Keys = network.conf()?;
    let lease = Lease::required(network)?;
    let link = ContainerLink {
        master: Some(Master::required(network)?),
        mtu: keys.mtu.bytes()?,
        ..ContainerLink::new(&LINK, Kind::Vlan(Vlan { id: keys.vlan_id.read("vlanId")? }))
    };
    Ok(link.with(lease, Told::Segment))
}
