//! The keys of `bridge`, read and validated.

mod vlans;

use cni_filter::masquerade::Backend;
use cni_net::configure::Duplicates;
use cni_net::{Mtu, bridge, veth};
use cni_part::{Configured, Lease, Masquerade, Pair, Part, Parts, SpoofCheck};
use cni_types::{Code, Error, IfName, Mac, Network, Result};
use serde::Deserialize;

use crate::announcement::Announcement;
use crate::bridge_link::BridgeLink;
use crate::gateway::{self, HostGateway};
use crate::port::Port;
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

/// # Errors
/// As [`cni_part::PartPlugin::parts`]; code 7 also for keys that contradict each other.
pub(crate) fn parts(network: &Network) -> Result<Parts> {
    let keys: Keys = network.conf()?;
    let has_ipam = network.ipam_type()?.is_some();
    keys.refuse_contradictions(has_ipam)?;
    let name = IfName::new(&keys.bridge);
    let name = name.map_err(|e| e.with_code(Code::CONFIG).doing("key \"bridge\""))?;
    let (is_gateway, is_default) = (keys.is_gateway || keys.is_default_gateway, keys.is_default_gateway);
    let vlans = Vlans::read(keys.vlan, keys.vlan_trunk.as_deref(), keys.preserve_default_vlan)?;
    let backend = Some(keys.ip_masq_backend.as_str()).filter(|text| !text.is_empty());
    let masquerade = Masquerade { backend: backend.map(Backend::parse).transpose()? };
    let mtu = keys.mtu.bytes()?;
    let wanted = bridge::NewBridge { mtu, vlan_filtering: vlans.is_some() };
    let gateway = if is_gateway {
        let vlan = vlans.as_ref().and_then(|vlans| vlans.access).filter(|_| has_ipam);
        let vlan_link = vlan.map(|vlan| vlan_link(&name, vlan)).transpose()?;
        let bridge = (name.clone(), wanted);
        Some(HostGateway { bridge, vlan_link, may_replace: keys.force_address, has_addresses: has_ipam })
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
        (keys.ip_masq && has_ipam).then(|| Box::new(masquerade) as _),
        is_up.then(|| Box::new(Announcement::default()) as _),
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
    if !detects_duplicates {
        let sysctls = [&[("ipv6/conf/IF/accept_dad", "0")], &Configured::TELL_SEGMENT[..]].concat();
        return Configured { duplicates: Duplicates::Trusted, sysctls };
    }
    let detection = [("ipv6/conf/IF/accept_dad", "1"), ("ipv6/conf/IF/enhanced_dad", "1")];
    Configured { duplicates: Duplicates::Detected, sysctls: [detection, Configured::TELL_SEGMENT].concat() }
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
