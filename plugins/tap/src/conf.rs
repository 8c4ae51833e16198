//! The keys of `tap`, read and validated.

use cni_net::configure::Told;
use cni_net::{Kind, Mtu, Tap};
use cni_part::{ContainerLink, Lease, LinkOfKind, MAC_ARG, MAC_KEYS, Parts, mac};
use cni_types::{IfName, Key, Network, PluginKeys, Result, Text, keys};

/// What ADD makes, and DEL removes.
pub(crate) static LINK: LinkOfKind = LinkOfKind("tun");

keys! {
    struct Keys {
        /// the user, by number, that may open it
        "owner" owner: Option<u32>, otherwise("whoever may configure the network");
        /// the group, by number, that may open it
        "group" group: Option<u32>, otherwise("whoever may configure the network");
        /// it can be opened several times, each a queue of its own
        "multiQueue" multi_queue: bool;
        /// the tap's label, that of the program that will open it
        "selinuxContext" selinux_context: String, otherwise("the plugin's own");
        /// a bridge **in the container** that it becomes a port of
        "bridge" bridge: Text<IfName>;
        /// MTU in bytes
        "mtu" mtu: Mtu;
    }
}

/// What `tap` can be told.
pub const KEYS: PluginKeys =
    PluginKeys { plugin: "tap", keys: &[Keys::KEYS, MAC_KEYS, &[Key::IPAM, Key::DNS]], args: &[MAC_ARG] };

/// # Errors
/// As [`cni_part::PartPlugin::parts`].
pub(crate) fn parts(network: &Network) -> Result<Parts> {
    let keys: Keys = network.conf()?;
    let tap = Tap {
        owner: keys.owner,
        group: keys.group,
        multi_queue: keys.multi_queue,
        selinux_context: Some(keys.selinux_context).filter(|context| !context.is_empty()),
    };
    let link = ContainerLink {
        bridge: keys.bridge.read_if_given("bridge")?,
        mtu: keys.mtu.bytes()?,
        mac: mac(network)?,
        ..ContainerLink::new(&LINK, Kind::Tap(tap))
    };
    Ok(link.with(Lease::new(network)?, Told::Nobody))
}
