//! CHECK.

use cni_filter::masquerade::{self, Backend};
use cni_filter::{Filter, spoof};
use cni_net::bridge::vlan;
use cni_net::{Link, Netns, Rtnl, check};
use cni_types::delegate::ipam;
use cni_types::{Attachment, CniResult, Error, IfName, Result};

use crate::conf::Conf;

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
    let port = check::host_end(&host, &result, &container)?;
    port_of(&port, &bridge, &conf)?;
    vlans(&host, &port, &conf)?;
    let filter = Filter::new();
    if let (true, Some(mac)) = (conf.mac_spoof_check, container.mac) {
        spoof::check(&filter, &attachment.id, &IfName::new(&port.name)?, mac)?;
    }
    if !conf.masquerade {
        return Ok(());
    }
    let ips: Vec<_> = result.ips.iter().map(|ip| ip.address).collect();
    masquerade::check(&filter, Backend::choose(&filter, conf.backend), &attachment.id, &ips)
}

fn bridge(host: &Rtnl, conf: &Conf, result: &CniResult) -> Result<Link> {
    let entry = result.interfaces.iter().find(|i| i.name == conf.bridge.as_str() && i.sandbox.is_empty());
    let missing = || Error::check(format!("prevResult does not have the bridge {}", conf.bridge));
    let bridge = check::link(host, entry.ok_or_else(missing)?, "bridge")?;
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

fn vlans(host: &Rtnl, port: &Link, conf: &Conf) -> Result<()> {
    let Some(vlans) = &conf.vlans else { return Ok(()) };
    let there = vlan::list(host, port.index)?;
    let wanted = vlans.wanted();
    let same = if vlans.is_exact() { there == wanted } else { wanted.iter().all(|v| there.contains(v)) };
    if same {
        return Ok(());
    }
    let text = |list: &[vlan::Vlan]| list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    Err(Error::check(format!(
        "port {} has the VLANs [{}], expected [{}]",
        port.name,
        text(&there),
        text(&wanted)
    )))
}
