//! The keys of `bridge`, read and validated.

mod vlans;

use cni_filter::masquerade::Backend;
use cni_net::configure::{Duplicates, Told};
use cni_net::{Mtu, bridge, veth};
use cni_part::{Configured, Lease, Masquerade, Pair, Part, Parts, SpoofCheck};
use cni_types::{Error, IfName, Key, Mac, Network, PluginKeys, Result, Text, Whole, keys};

use crate::announcement::Announcement;
use crate::bridge_link::BridgeLink;
use crate::gateway::{self, HostGateway};
use crate::port::Port;
use vlans::Trunk;
pub(crate) use vlans::Vlans;

keys! {
    struct Keys {
        /// name of the bridge; made if it is not there
        "bridge" bridge: Text<IfName> = "cni0";
        /// put the gateway's address on the bridge and enable forwarding
        "isGateway" is_gateway: bool;
        /// `isGateway`, and the gateway is the container's default route
        "isDefaultGateway" is_default_gateway: bool;
        /// replace a conflicting address of the bridge
        "forceAddress" force_address: bool;
        /// masquerade what leaves the subnet
        "ipMasq" ip_masq: bool;
        /// what carries the masquerade
        "ipMasqBackend" ip_masq_backend: Text<Backend>,
            otherwise("`iptables`, or `nftables` where only that works");
        /// MTU in bytes of the pair, and of a bridge that is made
        "mtu" mtu: Mtu;
        /// packets may leave by the port they came in
        "hairpinMode" hairpin_mode: bool, excludes("promiscMode");
        /// the bridge receives every packet
        "promiscMode" promisc_mode: bool, excludes("hairpinMode");
        /// access VLAN
        "vlan" vlan: Whole<0, { vlans::MAX }>, otherwise("0: none");
        /// tagged VLANs, each an id or a range; without `vlan`, VLAN 1 is the native one
        "vlanTrunk" vlan_trunk: Option<Vec<Trunk>>;
        /// keep the VLANs that the kernel gave the port
        "preserveDefaultVlan" preserve_default_vlan: bool;
        /// drop what the container sends from another MAC address
        "macspoofchk" mac_spoof_check: bool;
        /// look for other owners of IPv6 addresses before using them
        "enabledad" enable_dad: bool;
        /// leave the container's end down
        "disableContainerInterface" disable_container_interface: bool, excludes("ipam");
        /// no packets to other isolated ports
        "portIsolation" port_isolation: bool;
        "args" args: Args;
        "runtimeConfig" runtime_config: RuntimeConfig;
    }

    struct Args {
        "cni" cni: CniKey;
    }

    struct CniKey {
        /// the container's MAC address; wins over `CNI_ARGS`
        "mac" mac: Text<Mac>;
    }

    struct RuntimeConfig {
        /// the same; wins over both
        "mac" mac: Text<Mac>;
    }
}

/// What `bridge` can be told.
pub const KEYS: PluginKeys = PluginKeys {
    plugin: "bridge",
    keys: &[Keys::KEYS, &[Key::IPAM, Key::DNS]],
    args: &[Key::of::<Text<Mac>>("MAC", "the container's MAC address").otherwise("random")],
};

/// # Errors
/// As [`cni_part::PartPlugin::parts`]; code 7 also for keys that contradict each other.
pub(crate) fn parts(network: &Network) -> Result<Parts> {
    let keys: Keys = network.conf()?;
    let has_ipam = network.ipam_type()?.is_some();
    keys.refuse_contradictions(has_ipam)?;
    let name = keys.bridge.read("bridge")?;
    let (is_gateway, is_default) = (keys.is_gateway || keys.is_default_gateway, keys.is_default_gateway);
    let vlans = Vlans::read(keys.vlan.0, keys.vlan_trunk.as_deref(), keys.preserve_default_vlan)?;
    let backend = keys.ip_masq_backend.read_if_given("ipMasqBackend")?;
    let masquerade = (keys.ip_masq && has_ipam).then(|| Masquerade::with(backend)).transpose()?;
    let mtu = keys.mtu.bytes()?;
    let wanted = bridge::NewBridge { mtu, vlan_filtering: vlans.is_some() };
    let gateway = if is_gateway {
        let vlan = vlans.as_ref().and_then(|vlans| vlans.access).filter(|_| has_ipam);
        let vlan_link = vlan.map(|vlan| vlan_link(&name, vlan)).transpose()?;
        Some(HostGateway { vlan_link, may_replace: keys.force_address, has_addresses: has_ipam })
    } else {
        None
    };
    let pair = Pair { wanted: veth::NewPair { mtu, container_mac: mac(network, &keys)?, master: None } };
    let flags = bridge::Port { hairpin: keys.hairpin_mode, isolated: keys.port_isolation };
    let mut lease = Lease::new(network)?;
    if is_gateway {
        lease =
            lease.completed_by(if is_default { gateway::complete_with_default } else { gateway::complete });
    }
    let is_up = !keys.disable_container_interface;
    let parts: [Option<Box<dyn Part>>; 8] = [
        Some(Box::new(BridgeLink { name, wanted, is_promiscuous: keys.promisc_mode })),
        Some(Box::new(Port { pair, flags, vlans })),
        keys.mac_spoof_check.then(|| Box::new(SpoofCheck) as _),
        Some(Box::new(lease)),
        is_up.then(|| Box::new(configured(keys.enable_dad)) as _),
        gateway.map(|gateway| Box::new(gateway) as _),
        masquerade.map(|masquerade| Box::new(masquerade) as _),
        is_up.then(|| Box::new(Announcement) as _),
    ];
    Ok(parts.into_iter().flatten().collect())
}

impl Keys {
    fn refuse_contradictions(&self, has_ipam: bool) -> Result<()> {
        if self.hairpin_mode && self.promisc_mode {
            return Err(Error::config("hairpinMode and promiscMode cannot both be true: choose one"));
        }
        if self.disable_container_interface && has_ipam {
            return Err(Error::config(
                "disableContainerInterface cannot be used with ipam: a link that is down has no use \
                                      for addresses",
            ));
        }
        Ok(())
    }
}

/// What the interface needs for being found at once, or for the kernel to look for others with its addresses first.
fn configured(detects_duplicates: bool) -> Configured {
    let told = Told::Segment;
    if !detects_duplicates {
        return Configured { duplicates: Duplicates::Trusted, told, ipv6: vec![("accept_dad", "0")] };
    }
    let ipv6 = vec![("accept_dad", "1"), ("enhanced_dad", "1")];
    Configured { duplicates: Duplicates::Detected, told, ipv6 }
}

/// The link of a VLAN's gateway, by the name the reference gives it.
fn vlan_link(bridge: &IfName, vlan: u16) -> Result<(IfName, u16)> {
    let name = IfName::new(&format!("{bridge}.{vlan}")).map_err(|_| {
        Error::config(format!(
            "the VLAN's gateway link would be named {bridge}.{vlan}, which is longer than 15 bytes"
        ))
        .because("choose a shorter name with the key \"bridge\"")
    })?;
    Ok((name, vlan))
}

/// runtimeConfig before args before `CNI_ARGS`.
fn mac(network: &Network, keys: &Keys) -> Result<Option<Mac>> {
    let [from_env] = network.args.values(["MAC"])?;
    let sources = [
        ("runtimeConfig.mac", keys.runtime_config.mac.as_str()),
        ("args.cni.mac", keys.args.cni.mac.as_str()),
        ("CNI_ARGS MAC", from_env.as_deref().unwrap_or_default()),
    ];
    Ok(Mac::configured(&sources)?.map(|(mac, _)| mac))
}
