//! CHECK: what the previous result promised against what the kernel has.

use std::net::IpAddr;

use cni_types::{Attachment, CniResult, Error, Interface, IpConfig, Result};

use crate::link::Link;
use crate::netns::Netns;
use crate::rtnl::Rtnl;

/// The result ADD gave.
///
/// # Errors
/// Code 7 when the configuration has none: CHECK cannot be done without.
pub fn prev_result(attachment: &Attachment) -> Result<CniResult> {
    let missing = || Error::config("CHECK needs prevResult, the result of ADD; the configuration has none");
    attachment.network.prev_result()?.ok_or_else(missing)
}

/// The result's entry of the container's interface, with its index.
///
/// # Errors
/// Code 103 when no entry has the interface's name and this namespace.
pub fn container_entry<'r>(attachment: &Attachment, result: &'r CniResult) -> Result<(i64, &'r Interface)> {
    let name = attachment.id.ifname.as_str();
    let sandbox = attachment.netns.to_string_lossy();
    let entry = (0..).zip(&result.interfaces).find(|(_, i)| i.name == name && i.sandbox == sandbox);
    entry.ok_or_else(|| {
        Error::check(format!("sandbox mismatch: prevResult has no interface {name} with sandbox {sandbox}"))
    })
}

/// The link of a result's entry, with the kind and hardware address it should have.
///
/// # Errors
/// Code 103 naming what differs.
pub fn link(rtnl: &Rtnl, entry: &Interface, kind: &str) -> Result<Link> {
    let name = &entry.name;
    let link = rtnl.find_link(name)?.ok_or_else(|| Error::check(format!("link {name} is gone")))?;
    if link.kind != kind {
        return Err(Error::check(format!("link {name} is of kind {:?}, expected {kind:?}", link.kind)));
    }
    if !entry.mac.is_empty() && !entry.mac.eq_ignore_ascii_case(&link.mac_text()) {
        let text = format!("link {name} has MAC address {}, expected {}", link.mac_text(), entry.mac);
        return Err(Error::check(text));
    }
    Ok(link)
}

/// A result's container interface with everything on it: link, addresses, connected routes, routes.
///
/// # Errors
/// Code 103 naming what is missing.
pub fn container(attachment: &Attachment, result: &CniResult, kind: &str) -> Result<Link> {
    let (index, entry) = container_entry(attachment, result)?;
    let netns = Netns::open(&attachment.netns)?;
    let inside = Rtnl::open_in(&netns)?;
    let link = link(&inside, entry, kind)?;
    let name = &link.name;
    let there = inside.addresses(link.index)?;
    let ours = |ip: &&IpConfig| ip.interface.is_none_or(|i| i == index);
    for ip in result.ips.iter().filter(ours) {
        if !there.iter().any(|a| a.cidr == ip.address) {
            return Err(Error::check(format!("address {} is missing on {name}", ip.address)));
        }
    }
    routes(&inside, name, result, ours)?;
    Ok(link)
}

/// The host end of the container's pair: some other entry of the result names it, with its hardware address.
///
/// # Errors
/// Code 103 naming what differs.
pub fn host_end(host: &Rtnl, result: &CniResult, container: &Link) -> Result<Link> {
    for entry in result.interfaces.iter().filter(|i| i.sandbox.is_empty()) {
        let Some(there) = host.find_link(&entry.name)? else { continue };
        if there.kind == "veth"
            && there.iflink == Some(container.index)
            && container.iflink == Some(there.index)
        {
            return link(host, entry, "veth");
        }
    }
    Err(Error::check(format!(
        "the host end of {} is gone, or is none of prevResult's interfaces",
        container.name
    )))
}

fn routes(inside: &Rtnl, name: &str, result: &CniResult, ours: impl Fn(&&IpConfig) -> bool) -> Result<()> {
    for ipv4 in [true, false] {
        let any: IpAddr = if ipv4 { [0; 4].into() } else { [0; 16].into() };
        let host_prefix = if ipv4 { 32 } else { 128 };
        let connected = result.ips.iter().filter(&ours).filter(|ip| ip.address.is_ipv4() == ipv4);
        // A host address has no network to be connected to.
        let connected: Vec<_> = connected.filter(|ip| ip.address.prefix() != host_prefix).collect();
        let wanted: Vec<_> = result.routes.iter().filter(|r| r.dst.is_ipv4() == ipv4).collect();
        if connected.is_empty() && wanted.is_empty() {
            continue;
        }
        let main = inside.routes(any, None)?;
        for ip in connected {
            if !main.iter().any(|r| r.dst == ip.address.masked()) {
                return Err(Error::check(format!(
                    "the route to {} of {name} is missing",
                    ip.address.masked()
                )));
            }
        }
        for route in wanted {
            let table = if route.table.is_some() { &inside.routes(any, route.table)? } else { &main };
            let same_gateway =
                |there: Option<IpAddr>| route.gw.is_none() || route.dst.is_default() || route.gw == there;
            let found = table.iter().any(|r| r.dst == route.dst.masked() && same_gateway(r.gateway));
            if !found {
                let via = route.gw.map(|gw| format!(" via {gw}")).unwrap_or_default();
                return Err(Error::check(format!("route {}{via} is missing", route.dst)));
            }
        }
    }
    Ok(())
}
