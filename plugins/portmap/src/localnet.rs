//! Mapped ports at 127.0.0.1: packets from there leave by the container's link, which the kernel only allows with
//! `route_localnet`.

use std::net::IpAddr;

use cni_filter::Filter;
use cni_net::{Link, Rtnl};
use cni_types::{Family, Result};

use crate::conf::Conf;
use crate::{iptables, nft};

/// Whether a mapping can be reached at 127.0.0.1 and needs it.
pub(crate) fn is_wanted(conf: &Conf) -> bool {
    let reaches = |ip: IpAddr| ip.is_loopback();
    conf.snat
        && conf
            .mappings
            .iter()
            .any(|mapping| mapping.is_for(Family::V4) && mapping.host_ip().is_none_or(reaches))
}

/// Allows it on the link that leads to the container, after 127.0.0.0/8 is shut to everybody outside (CVE-2020-8558).
///
/// # Errors
/// Code 101 or 100 when the kernel refuses either.
pub(crate) fn enable(filter: &Filter, host: &Rtnl, container: IpAddr) -> Result<()> {
    let Some(link) = find_link(host, container)? else { return Ok(()) };
    match filter.nftables_if_present()? {
        Some(socket) => nft::ensure_localnet(socket)?,
        None => iptables::ensure_localnet(filter)?,
    }
    if is_on(&link) { Ok(()) } else { host.route_localnet(&link) }
}

/// What is missing of that, in words; empty if nothing is.
///
/// # Errors
/// Code 101 or 100 when the kernel refuses to say.
pub(crate) fn missing(filter: &Filter, host: &Rtnl, container: IpAddr) -> Result<Vec<String>> {
    let Some(link) = find_link(host, container)? else { return Ok(Vec::new()) };
    let is_shut = match filter.nftables_if_present()? {
        Some(socket) => nft::has_localnet(socket)?,
        None => iptables::has_localnet(filter)?,
    };
    let mut missing = Vec::new();
    if !is_shut {
        missing.push("nothing keeps others from 127.0.0.0/8 of the host".to_owned());
    }
    if !is_on(&link) {
        missing.push(format!("net.ipv4.conf.{}.route_localnet is not 1", link.name));
    }
    Ok(missing)
}

/// The link that leads to the container.
fn find_link(host: &Rtnl, container: IpAddr) -> Result<Option<Link>> {
    let Some(index) = host.output_link(container)? else { return Ok(None) };
    host.find_link_by_index(index)
}

fn is_on(link: &Link) -> bool {
    link.settings.route_localnet == Some(true)
}
