//! The host's side of the subnet: gateway addresses on the bridge, or on a VLAN's own link. They stay.

use std::net::IpAddr;

use cni_net::bridge::uplink::{self, Uplink};
use cni_net::bridge::vlan::Vlan;
use cni_net::{Link, Rtnl, check, forwarding, sysctl};
use cni_part::{Host, Made, Owned, Part, Restoring, Site, host_entry};
use cni_skel::Undo;
use cni_types::{Cidr, CniResult, Code, Error, Family, IfName, IpConfig, Mac, Network, Result, Route};

use crate::port::check_vlans;

/// The gateways of the result on the host, and forwarding of their families.
pub(crate) struct HostGateway {
    /// The link that the gateway of a VLAN is on, made once for all containers.
    pub(crate) vlan_link: Option<(IfName, u16)>,
    /// It may take the place of another address of the network.
    pub(crate) may_replace: bool,
    /// The network has addresses at all.
    pub(crate) has_addresses: bool,
}

impl Part for HostGateway {
    fn name(&self) -> &'static str {
        "gateway"
    }

    fn owned(&self) -> Option<&'static dyn Owned> {
        None
    }

    fn add<'a>(&'a self, site: &'a Site<'a>, made: &mut Made, _undo: &mut Undo<'a>) -> Result<()> {
        let (host, bridge) = (site.host.rtnl()?, made.bridge()?);
        let uplink = self.vlan_link.as_ref();
        let uplink = uplink.map(|(name, vlan)| uplink::ensure(host, bridge, name, *vlan)).transpose()?;
        self.ensure_addresses(host, uplink.as_ref().unwrap_or(bridge), &made.result)?;
        made.uplink = uplink;
        Ok(())
    }

    fn tell(&self, _site: &Site<'_>, made: &mut Made) -> Result<()> {
        made.result.interfaces.extend(made.uplink.as_ref().map(host_entry));
        Ok(())
    }

    fn check(&self, site: &Site<'_>, made: &mut Made) -> Result<()> {
        let (host, bridge) = (site.host.rtnl()?, made.bridge()?);
        let uplink = self.vlan_link.as_ref();
        let uplink = uplink.map(|(name, vlan)| check_uplink(host, bridge, name, *vlan)).transpose()?;
        let (index, _) = check::container_entry(site.attachment, &made.result)?;
        check_addresses(host, uplink.as_ref().unwrap_or(bridge), check::ips_of(&made.result, index))
    }

    fn restoring(&self) -> Restoring {
        Restoring::PutBack
    }

    fn status(&self, host: &Host, _network: &Network, made: &mut Made) -> Result<()> {
        let unavailable = |e: Error| e.with_code(Code::UNAVAILABLE);
        if let (Some((name, _)), Some(bridge)) = (&self.vlan_link, &made.bridge) {
            uplink::find(host.rtnl()?, bridge, name).map_err(unavailable)?;
        }
        if self.has_addresses { forwarding::status(host.rtnl()?) } else { Ok(()) }
    }
}

impl HostGateway {
    /// Puts the gateways of the result on `link` and enables forwarding for their families.
    ///
    /// # Errors
    /// Code 7 when the link has another address of the network and may not lose it; code 100 for what the kernel
    /// refused.
    fn ensure_addresses(&self, host: &Rtnl, link: &Link, result: &CniResult) -> Result<()> {
        let gateways = gateways(result.ips.iter());
        for family in Family::ALL {
            for gateway in gateways.iter().filter(|gw| gw.family() == family) {
                ensure_address(host, self.may_replace, link, *gateway)?;
            }
            if gateways.iter().any(|gw| gw.family() == family) {
                forwarding::ensure(host, family)?;
            }
        }
        Ok(())
    }
}

/// Fills in the gateways that IPAM left out.
///
/// # Errors
/// Code 7 when a network has no address to spare for a gateway.
pub(crate) fn complete(result: &mut CniResult) -> Result<()> {
    for ip in &mut result.ips {
        if ip.gateway.is_none() {
            ip.gateway = Some(first_address(ip.address)?);
        }
    }
    Ok(())
}

/// The same, and the default routes through them.
///
/// # Errors
/// As [`complete`].
pub(crate) fn complete_with_default(result: &mut CniResult) -> Result<()> {
    complete(result)?;
    for family in Family::ALL {
        let gateway = result.ips.iter().filter(|ip| ip.address.family() == family).find_map(|ip| ip.gateway);
        // A default route of IPAM's without a gateway goes through ours anyhow; a second one would be refused.
        let has_default =
            result.routes.iter().any(|r| r.dst == Cidr::default_of(family) && r.table.is_none());
        if gateway.is_some() && !has_default {
            result.routes.push(Route::new(Cidr::default_of(family), gateway));
        }
    }
    Ok(())
}

/// The network's first address after the network address.
fn first_address(cidr: Cidr) -> Result<IpAddr> {
    let next = match cidr.network() {
        IpAddr::V4(ip) => u32::from(ip).checked_add(1).map(|n| IpAddr::V4(n.into())),
        IpAddr::V6(ip) => u128::from(ip).checked_add(1).map(|n| IpAddr::V6(n.into())),
    };
    let next = next.filter(|ip| cidr.contains(*ip));
    next.ok_or_else(|| Error::config(format!("the network of {cidr} has no address for a gateway")))
}

/// The gateways' addresses: each with the prefix length of the address it is the gateway of.
fn gateways<'r>(ips: impl Iterator<Item = &'r IpConfig>) -> Vec<Cidr> {
    ips.filter_map(|ip| Cidr::new(ip.gateway?, ip.address.prefix())).collect()
}

fn ensure_address(host: &Rtnl, may_replace: bool, link: &Link, gateway: Cidr) -> Result<()> {
    let present: Vec<Cidr> = host.addresses(link.index)?.iter().map(|a| a.cidr).collect();
    if present.contains(&gateway) {
        return Ok(());
    }
    let overlaps = |other: &Cidr| other.contains(gateway.ip()) || gateway.contains(other.ip());
    let conflicts = present.into_iter().filter(|a| a.family() == gateway.family());
    for other in conflicts.filter(|a| gateway.is_ipv4() || overlaps(a)) {
        if !may_replace {
            return Err(Error::config(format!(
                "{} already has an IP address different from {gateway}",
                link.name
            ))
            .because(format!("it has {other}; forceAddress replaces it")));
        }
        host.remove_address_if_present(link.index, &link.name, other)?;
    }
    if !gateway.is_ipv4() {
        sysctl::ensure_ipv6(link)?;
    }
    host.ensure_address(link.index, &link.name, gateway)?;
    pin_mac(host, link)
}

/// Pinned, the address no longer follows the bridge's ports as they come and go. It is the one it has now, with the
/// container's port in it: the one from before may be any port's, or none.
fn pin_mac(host: &Rtnl, link: &Link) -> Result<()> {
    let now = host.find_link_by_index(link.index)?.and_then(|link| link.mac);
    now.filter(|mac| *mac != Mac([0; 6])).map_or(Ok(()), |mac| host.set_mac(link.index, mac))
}

/// The link has the gateways' addresses, and the host forwards packets of their families.
fn check_addresses<'r>(host: &Rtnl, link: &Link, ips: impl Iterator<Item = &'r IpConfig>) -> Result<()> {
    let gateways = gateways(ips);
    let present: Vec<Cidr> = host.addresses(link.index)?.iter().map(|a| a.cidr).collect();
    if let Some(missing) = gateways.iter().find(|gateway| !present.contains(gateway)) {
        return Err(Error::check(format!("the gateway's address {missing} is missing on {}", link.name)));
    }
    let families = Family::ALL.into_iter().filter(|family| gateways.iter().any(|gw| gw.family() == *family));
    families.into_iter().try_for_each(|family| forwarding::check(host, family))
}

/// The host's end of the link that a VLAN's gateway is on.
fn check_uplink(host: &Rtnl, bridge: &Link, name: &IfName, vlan: u16) -> Result<Link> {
    let differs = |e: Error| e.with_code(Code::CHECK);
    let found = uplink::find(host, bridge, name).map_err(differs)?;
    let missing = || Error::check(format!("the link of the gateway of VLAN {vlan}, {name}, is gone"));
    let Uplink { link, port } = found.ok_or_else(missing)?;
    check::up(&link)?;
    check::up(&port)?;
    check_vlans(host, &port, &[Vlan::native(vlan)], true)?;
    Ok(link)
}
