//! The keys of `ipvlan`, read and validated.

use cni_net::configure::Told;
use cni_net::{Ipvlan, IpvlanFlag, IpvlanMode, Kind, Master, MasterName, Mtu};
use cni_part::{ContainerLink, Lease, LinkOfKind, Parts, mac_key};
use cni_types::{Code, Error, Key, Network, PluginKeys, Result, Text, keys};

/// What ADD makes, and DEL removes.
pub(crate) static LINK: LinkOfKind = LinkOfKind("ipvlan");

keys! {
    struct Keys {
        /// what the master does with packets: it is a switch, it routes, it routes through the packet filter
        "mode" mode: Text<IpvlanMode>, otherwise("`l2`");
        /// whether the containers of one master reach each other
        "flag" flag: Text<IpvlanFlag>, otherwise("`bridge`");
        /// MTU in bytes, at most the master's
        "mtu" mtu: Mtu, otherwise("0: the master's");
    }
}

/// What `ipvlan` can be told.
pub const KEYS: PluginKeys = PluginKeys {
    plugin: "ipvlan",
    keys: &[
        &[
            Master::NAME.otherwise(
                "in a chain, the one interface of the plugin before; otherwise the link of the default route",
            ),
            Master::PLACE,
        ],
        Keys::KEYS,
        &[
            Key::IPAM.otherwise("in a chain, the addresses and routes of the plugin before"),
            Key::DNS.otherwise("what IPAM or the plugin before says"),
        ],
    ],
    args: &[],
};

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
    let ipvlan = Ipvlan {
        mode: keys.mode.read_if_given("mode")?.unwrap_or_default(),
        flag: keys.flag.read_if_given("flag")?.unwrap_or_default(),
    };
    let link = ContainerLink {
        master: Some(master),
        mtu: keys.mtu.bytes()?,
        ..ContainerLink::new(&LINK, Kind::Ipvlan(ipvlan))
    };
    Ok(link.with(Lease::or_chain(network)?, Told::Segment))
}

/// `CNI_ARGS` does not count: runtimes put a `MAC` there for all plugins, and the reference ignores it too.
fn refuse_mac(network: &Network) -> Result<()> {
    let Some((place, mac)) = mac_key(network)? else { return Ok(()) };
    let text = format!("{place} is {mac:?}: an ipvlan has the MAC address of its master and no other");
    Err(Error::new(Code::UNSUPPORTED_FIELD, text).because("use macvlan for a MAC address per container"))
}
