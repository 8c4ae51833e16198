//! The host's side of the subnet: gateway addresses on the bridge, or on a VLAN's own link.

use std::net::IpAddr;

use cni_net::{Link, Rtnl, forwarding, sysctl};
use cni_types::{Cidr, CniResult, Error, Family, IpConfig, Mac, Result, Route};

use crate::conf::Conf;

/// Fills in the gateways that IPAM left out, and the default routes through them.
///
/// # Errors
/// Code 7 when a network has no address to spare for a gateway.
pub(crate) fn complete(conf: &Conf, result: &mut CniResult) -> Result<()> {
    if !conf.is_gateway {
        return Ok(());
    }
    for ip in &mut result.ips {
        if ip.gateway.is_none() {
            ip.gateway = Some(first_address(ip.address)?);
        }
    }
    if !conf.is_default_gateway {
        return Ok(());
    }
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

/// Puts the gateways of the result on `link` and enables forwarding for their families.
///
/// # Errors
/// Code 7 when the link has another address of the network and may not lose it; code 100 for what the kernel refused.
pub(crate) fn ensure_addresses(host: &Rtnl, conf: &Conf, link: &Link, result: &CniResult) -> Result<()> {
    let gateways = gateways(result.ips.iter());
    for family in Family::ALL {
        for gateway in gateways.iter().filter(|gw| gw.family() == family) {
            ensure_address(host, conf, link, *gateway)?;
        }
        if gateways.iter().any(|gw| gw.family() == family) {
            forwarding::ensure(family)?;
        }
    }
    Ok(())
}

fn ensure_address(host: &Rtnl, conf: &Conf, link: &Link, gateway: Cidr) -> Result<()> {
    let present: Vec<Cidr> = host.addresses(link.index)?.iter().map(|a| a.cidr).collect();
    if present.contains(&gateway) {
        return Ok(());
    }
    let overlaps = |other: &Cidr| other.contains(gateway.ip()) || gateway.contains(other.ip());
    let conflicts = present.into_iter().filter(|a| a.family() == gateway.family());
    for other in conflicts.filter(|a| gateway.is_ipv4() || overlaps(a)) {
        if !conf.force_address {
            return Err(Error::config(format!(
                "{} already has an IP address different from {gateway}",
                link.name
            ))
            .because(format!("it has {other}; forceAddress replaces it")));
        }
        host.remove_address_if_present(link.index, &link.name, other)?;
    }
    if !gateway.is_ipv4() {
        sysctl::ensure_ipv6(&link.name)?;
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

/// CHECK: the link has the gateways' addresses, and the host forwards packets of their families.
///
/// # Errors
/// Code 103 naming what is missing.
pub(crate) fn check<'r>(host: &Rtnl, link: &Link, ips: impl Iterator<Item = &'r IpConfig>) -> Result<()> {
    let gateways = gateways(ips);
    let present: Vec<Cidr> = host.addresses(link.index)?.iter().map(|a| a.cidr).collect();
    if let Some(missing) = gateways.iter().find(|gateway| !present.contains(gateway)) {
        return Err(Error::check(format!("the gateway's address {missing} is missing on {}", link.name)));
    }
    let families = Family::ALL.into_iter().filter(|family| gateways.iter().any(|gw| gw.family() == *family));
    families.into_iter().try_for_each(forwarding::check)
}
