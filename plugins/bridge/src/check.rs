//! CHECK.

use cni_filter::masquerade;
use cni_filter::{Filter, spoof};
use cni_net::bridge::uplink::{self, Uplink};
use cni_net::bridge::vlan::{self, Vlan};
use cni_net::{Link, Netns, Rtnl, bridge, check};
use cni_skel::Attachment;
use cni_skel::delegate::ipam;
use cni_types::{CniResult, Code, Error, IfName, Result};

use crate::conf::Conf;
use crate::gateway;

/// # Errors
/// Code 103 with the first difference between the previous result, the configuration and the kernel.
pub(crate) fn check(attachment: &Attachment) -> Result<()> {
    let conf = Conf::read(&attachment.network)?;
    ipam::check(attachment)?;
    let result = check::prev_result(attachment)?;
    let host = Rtnl::open()?;
    let bridge = bridge(&host, &conf, &result)?;
    let inside = Rtnl::open_in(&Netns::open(&attachment.netns)?)?;
    let container = check::container(&inside, attachment, &result, "veth")?;
    let port = check::host_end(&host, &result, &container, conf.mtu)?;
    port_of(&port, &bridge, &conf)?;
    if let Some(vlans) = &conf.vlans {
        has_vlans(&host, &port, &vlans.wanted(), vlans.is_exact())?;
    }
    let (index, entry) = check::container_entry(attachment, &result)?;
    check::mtu(&container, entry, conf.mtu)?;
    if !conf.leave_down {
        check::up(&container)?;
    }
    if conf.is_gateway {
        let vlan_link = conf.vlan_link.as_ref();
        let uplink = vlan_link.map(|(name, vlan)| uplink(&host, &bridge, name, *vlan)).transpose()?;
        gateway::check(&host, uplink.as_ref().unwrap_or(&bridge), check::ips_of(&result, index))?;
    }
    filters(attachment, &conf, &result, &port, &container)
}

/// Spoof check and masquerade.
fn filters(
    attachment: &Attachment,
    conf: &Conf,
    result: &CniResult,
    port: &Link,
    container: &Link,
) -> Result<()> {
    let filter = Filter::new();
    if let (true, Some(mac)) = (conf.mac_spoof_check, container.mac) {
        spoof::check(&filter, &attachment.id, &IfName::new(&port.name)?, mac)?;
    }
    if !conf.masquerade {
        return Ok(());
    }
    let ips: Vec<_> = result.ips.iter().map(|ip| ip.address).collect();
    masquerade::check(&filter, conf.backend, &attachment.id, &ips)
}

fn bridge(host: &Rtnl, conf: &Conf, result: &CniResult) -> Result<Link> {
    let entry = result.interfaces.iter().find(|i| i.name == conf.bridge.as_str() && i.sandbox.is_empty());
    let missing = || Error::check(format!("prevResult does not have the bridge {}", conf.bridge));
    let entry = entry.ok_or_else(missing)?;
    let bridge = check::link_of_kind(host, entry, "bridge")?;
    if let Err(differs) = check::mac(&bridge, entry) {
        // Nobody promised that of an address which follows the ports.
        if !bridge::follows_ports(host, &bridge)? {
            return Err(differs);
        }
    }
    check::up(&bridge)?;
    if conf.vlans.is_some() && bridge.vlan_filtering != Some(true) {
        return Err(Error::check(format!("bridge {} does not filter VLANs, expected to", bridge.name)));
    }
    if conf.promiscuous != bridge.is_promiscuous() {
        let is = if conf.promiscuous {
            "not promiscuous, expected promiscuous"
        } else {
            "promiscuous, expected not"
        };
        return Err(Error::check(format!("bridge {} is {is}", bridge.name)));
    }
    Ok(bridge)
}

/// The host's end of the link that a VLAN's gateway is on.
fn uplink(host: &Rtnl, bridge: &Link, name: &IfName, vlan: u16) -> Result<Link> {
    let differs = |e: Error| Error { code: Code::CHECK, ..e };
    let found = uplink::find(host, bridge, name).map_err(differs)?;
    let missing = || Error::check(format!("the link of the gateway of VLAN {vlan}, {name}, is gone"));
    let Uplink { link, port } = found.ok_or_else(missing)?;
    check::up(&link)?;
    check::up(&port)?;
    has_vlans(host, &port, &[Vlan::native(vlan)], true)?;
    Ok(link)
}

fn port_of(port: &Link, bridge: &Link, conf: &Conf) -> Result<()> {
    let name = &port.name;
    if port.master != Some(bridge.index) {
        return Err(Error::check(format!("{name} is not a port of bridge {}", bridge.name)));
    }
    for (key, is, wanted) in [
        ("hairpinMode", port.hairpin, conf.port.hairpin),
        ("portIsolation", port.isolated, conf.port.isolated),
    ] {
        if is != wanted {
            return Err(Error::check(format!("{key} of port {name} is {is}, expected {wanted}")));
        }
    }
    Ok(())
}

/// The port has the VLANs that are `wanted`; with `exact`, no other.
fn has_vlans(host: &Rtnl, port: &Link, wanted: &[Vlan], exact: bool) -> Result<()> {
    let there = vlan::list(host, port.index)?;
    let same = if exact { there == wanted } else { wanted.iter().all(|v| there.contains(v)) };
    if same {
        return Ok(());
    }
    let text = |list: &[Vlan]| list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    Err(Error::check(format!(
        "port {} has the VLANs [{}], expected [{}]",
        port.name,
        text(&there),
        text(wanted)
    )))
}
