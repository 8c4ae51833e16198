//! Mapped ports at 127.0.0.1: packets from there leave by the container's link, which the kernel only allows with
//! `route_localnet`.

use std::net::IpAddr;

use cni_filter::Filter;
use cni_net::{Rtnl, sysctl};
use cni_types::Result;

use crate::conf::Conf;
use crate::{iptables, nft};

/// Whether a mapping can be reached at 127.0.0.1 and needs it.
pub(crate) fn is_wanted(conf: &Conf) -> bool {
    let reaches = |ip: IpAddr| ip.is_loopback();
    conf.snat
        && conf.mappings.iter().any(|mapping| mapping.is_for(true) && mapping.host_ip().is_none_or(reaches))
}

/// Allows it on the link that leads to the container, after 127.0.0.0/8 is shut to everybody outside (CVE-2020-8558).
///
/// # Errors
/// Code 101 or 100 when the kernel refuses either.
pub(crate) fn enable(filter: &Filter, host: &Rtnl, container: IpAddr) -> Result<()> {
    let Some(index) = host.output_link(container)? else { return Ok(()) };
    let Some(link) = host.find_link_by_index(index)? else { return Ok(()) };
    match filter.nftables_if_present()? {
        Some(socket) => nft::ensure_localnet(socket)?,
        None => iptables::ensure_localnet()?,
    }
    let name = format!("ipv4/conf/{}/route_localnet", link.name);
    if sysctl::read(&name).is_ok_and(|value| value == "1") { Ok(()) } else { sysctl::write(&name, "1") }
}
