//! The keys of `bridge`, read and validated.

mod vlans;

use cni_filter::masquerade::Backend;
use cni_net::Mtu;
use cni_net::bridge::{self, Port};
use cni_types::{Code, Dns, Error, IfName, Mac, Network, Result};
use serde::Deserialize;

use vlans::Trunk;
pub(crate) use vlans::Vlans;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Keys {
    bridge: String,
    is_gateway: bool,
    is_default_gateway: bool,
    force_address: bool,
    ip_masq: bool,
    ip_masq_backend: String,
    mtu: Mtu,
    hairpin_mode: bool,
    promisc_mode: bool,
    vlan: i64,
    vlan_trunk: Option<Vec<Trunk>>,
    preserve_default_vlan: bool,
    #[serde(rename = "macspoofchk")]
    mac_spoof_check: bool,
    #[serde(rename = "enabledad")]
    enable_dad: bool,
    disable_container_interface: bool,
    port_isolation: bool,
    args: Args,
    runtime_config: MacKey,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            bridge: "cni0".to_owned(),
            is_gateway: false,
            is_default_gateway: false,
            force_address: false,
            ip_masq: false,
            ip_masq_backend: String::new(),
            mtu: Mtu::default(),
            hairpin_mode: false,
            promisc_mode: false,
            vlan: 0,
            vlan_trunk: None,
            preserve_default_vlan: false,
            mac_spoof_check: false,
            enable_dad: false,
            disable_container_interface: false,
            port_isolation: false,
            args: Args::default(),
            runtime_config: MacKey::default(),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Args {
    cni: MacKey,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct MacKey {
    mac: String,
}

/// A valid configuration.
pub(crate) struct Conf {
    /// The bridge's name.
    pub(crate) bridge: IfName,
    /// The gateway's address belongs on the bridge.
    pub(crate) is_gateway: bool,
    /// The gateway is the container's default.
    pub(crate) is_default_gateway: bool,
    /// Replace a conflicting address of the bridge.
    pub(crate) force_address: bool,
    /// Masquerade what leaves the subnet.
    pub(crate) masquerade: bool,
    /// With the backend that was asked for, if one was.
    pub(crate) backend: Option<Backend>,
    /// MTU in bytes; 0 leaves the kernel's default.
    pub(crate) mtu: u32,
    /// What the host end does as a port.
    pub(crate) port: Port,
    /// The bridge receives every packet.
    pub(crate) promiscuous: bool,
    /// The port's VLANs, on a bridge that filters them.
    pub(crate) vlans: Option<Vlans>,
    /// The link that the gateway of a VLAN is on.
    pub(crate) vlan_link: Option<(IfName, u16)>,
    /// Drop what the container sends from another MAC address.
    pub(crate) mac_spoof_check: bool,
    /// Look for other owners of the IPv6 addresses.
    pub(crate) detect_duplicates: bool,
    /// Leave the container's end down.
    pub(crate) leave_down: bool,
    /// The container's MAC address.
    pub(crate) mac: Option<Mac>,
    /// Addresses come from IPAM; without it the network is layer 2 only.
    pub(crate) has_ipam: bool,
    /// Replaces what IPAM says.
    pub(crate) dns: Option<Dns>,
}

impl Conf {
    /// # Errors
    /// Code 6 for a value of the wrong type, code 7 for one that is not allowed or a contradiction, code 4 for
    /// `CNI_ARGS` that cannot be read.
    pub(crate) fn read(network: &Network) -> Result<Self> {
        let keys: Keys = network.conf()?;
        let has_ipam = network.ipam_type()?.is_some();
        if keys.hairpin_mode && keys.promisc_mode {
            return Err(Error::config("hairpinMode and promiscMode cannot both be true: choose one"));
        }
        if keys.disable_container_interface && has_ipam {
            return Err(Error::config(
                "disableContainerInterface cannot be used with ipam: a link that is down has no use \
                                      for addresses",
            ));
        }
        let backend = Some(keys.ip_masq_backend.as_str()).filter(|text| !text.is_empty());
        let bridge = IfName::new(&keys.bridge)
            .map_err(|e| Error { code: Code::CONFIG, ..e }.doing("key \"bridge\""))?;
        let is_gateway = keys.is_gateway || keys.is_default_gateway;
        let vlans = Vlans::read(keys.vlan, keys.vlan_trunk.as_deref(), keys.preserve_default_vlan)?;
        let access = vlans.as_ref().and_then(|vlans| vlans.access).filter(|_| is_gateway && has_ipam);
        Ok(Self {
            vlan_link: access.map(|vlan| vlan_link(&bridge, vlan)).transpose()?,
            bridge,
            is_gateway,
            is_default_gateway: keys.is_default_gateway,
            force_address: keys.force_address,
            masquerade: keys.ip_masq && has_ipam,
            backend: backend.map(Backend::parse).transpose()?,
            mtu: keys.mtu.bytes()?,
            port: Port { hairpin: keys.hairpin_mode, isolated: keys.port_isolation },
            promiscuous: keys.promisc_mode,
            vlans,
            mac_spoof_check: keys.mac_spoof_check,
            detect_duplicates: keys.enable_dad,
            leave_down: keys.disable_container_interface,
            mac: mac(network, &keys)?,
            has_ipam,
            dns: network.dns()?,
        })
    }

    /// What the bridge has to be like.
    pub(crate) fn wanted_bridge(&self) -> bridge::Wanted {
        bridge::Wanted { mtu: self.mtu, vlan_filtering: self.vlans.is_some() }
    }
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
        ("args.cni.mac", &keys.args.cni.mac),
        ("CNI_ARGS MAC", from_env.as_deref().unwrap_or_default()),
    ];
    Ok(Mac::configured(&sources)?.map(|(mac, _)| mac))
}
