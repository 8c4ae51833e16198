//! The keys of `macvlan`, read and validated.

use cni_net::configure::Told;
use cni_net::{Kind, Macvlan, MacvlanMode, Master, Mtu};
use cni_part::{ContainerLink, Lease, LinkOfKind, MAC_ARG, MAC_KEYS, Parts, mac};
use cni_types::{Key, Network, PluginKeys, Result, Text, keys};

/// What ADD makes, and DEL removes.
pub(crate) static LINK: LinkOfKind = LinkOfKind("macvlan");

keys! {
    struct Keys {
        /// whether the containers of one master reach each other: yes; no; through a switch outside; there is only one
        "mode" mode: Text<MacvlanMode>, otherwise("`bridge`");
        /// MTU in bytes, at most the master's
        "mtu" mtu: Mtu, otherwise("0: the master's");
        /// how many broadcasts may wait to be copied
        "bcqueuelen" bc_queue_length: u32, otherwise("0: the kernel's");
    }
}

/// What `macvlan` can be told.
pub const KEYS: PluginKeys = PluginKeys {
    plugin: "macvlan",
    keys: &[&[Master::NAME, Master::PLACE], Keys::KEYS, MAC_KEYS, &[Key::IPAM, Key::DNS]],
    args: &[MAC_ARG],
};

/// # Errors
/// As [`cni_part::PartPlugin::parts`].
pub(crate) fn parts(network: &Network) -> Result<Parts> {
    let keys: Keys = network.conf()?;
    let mode = keys.mode.read_if_given("mode")?.unwrap_or_default();
    let macvlan = Macvlan { mode, bc_queue_length: keys.bc_queue_length };
    let link = ContainerLink {
        master: Some(Master::read(network)?),
        mtu: keys.mtu.bytes()?,
        mac: mac(network)?,
        ..ContainerLink::new(&LINK, Kind::Macvlan(macvlan))
    };
    Ok(link.with(Lease::new(network)?, Told::Segment))
}
