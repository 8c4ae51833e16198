//! CHECK: what the previous result promised against what the kernel has.

use cni_skel::Attachment;
use cni_types::{Cidr, CniResult, Error, Interface, IpConfig, Result, Route};

use crate::link::{Link, veth};
use crate::netns::Netns;
use crate::route::RouteEntry;
use crate::rtnl::Rtnl;

/// The result ADD gave.
///
/// # Errors
/// Code 7 when the configuration has none: CHECK cannot be done without.
pub fn prev_result(attachment: &Attachment) -> Result<CniResult> {
    attachment.network.result_of_add()
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

/// The container's interface as it is now, for plugins that have not made it; and a socket where it is.
///
/// # Errors
/// Code 103 when it is gone, code 8 when the namespace cannot be opened.
pub fn interface(attachment: &Attachment) -> Result<(Rtnl, Link)> {
    let inside = Rtnl::open_in(&Netns::open(&attachment.netns)?)?;
    let ifname = &attachment.id.ifname;
    let link = inside.find_link(ifname.as_str())?;
    let link = link.ok_or_else(|| Error::check(format!("interface {ifname} is gone")))?;
    Ok((inside, link))
}

/// The link of a result's entry, with the kind and hardware address it should have.
///
/// # Errors
/// Code 103 naming what differs.
pub fn link(rtnl: &Rtnl, entry: &Interface, kind: &str) -> Result<Link> {
    let link = link_of_kind(rtnl, entry, kind)?;
    mac(&link, entry)?;
    Ok(link)
}

/// The link of a result's entry, with the kind it should have.
///
/// # Errors
/// Code 103 when it is gone, or of another kind.
pub fn link_of_kind(rtnl: &Rtnl, entry: &Interface, kind: &str) -> Result<Link> {
    let name = &entry.name;
    let link = rtnl.find_link(name)?.ok_or_else(|| Error::check(format!("link {name} is gone")))?;
    if link.kind == kind {
        return Ok(link);
    }
    Err(Error::check(format!("link {name} is of kind {:?}, expected {kind:?}", link.kind)))
}

/// The link's hardware address is that of its entry, if the entry has any.
///
/// # Errors
/// Code 103 with both.
pub fn mac(link: &Link, entry: &Interface) -> Result<()> {
    let is = link.mac_text();
    if entry.mac.is_empty() || entry.mac.eq_ignore_ascii_case(&is) {
        return Ok(());
    }
    Err(Error::check(format!("link {} has MAC address {is}, expected {}", link.name, entry.mac)))
}

/// The link's MTU is that of its entry, where the configuration has `asked` for one (0: it has not, and the MTU may
/// follow another link's). Not the configuration's: a plugin further down the chain (tuning) may have been asked for
/// another.
///
/// # Errors
/// Code 103 with both, in bytes.
pub fn mtu(link: &Link, entry: &Interface, asked: u32) -> Result<()> {
    if asked == 0 || entry.mtu == 0 || entry.mtu == link.mtu {
        return Ok(());
    }
    Err(Error::check(format!("link {} has MTU {}, expected {}", link.name, link.mtu, entry.mtu)))
}

/// The link is administratively up.
///
/// # Errors
/// Code 103 naming it.
pub fn up(link: &Link) -> Result<()> {
    let name = &link.name;
    if link.is_up() { Ok(()) } else { Err(Error::check(format!("link {name} is down, expected up"))) }
}

/// A result's container interface with everything on it: link, addresses, connected routes, routes.
///
/// # Errors
/// Code 103 naming what is missing.
pub fn container(inside: &Rtnl, attachment: &Attachment, result: &CniResult, kind: &str) -> Result<Link> {
    let (index, entry) = container_entry(attachment, result)?;
    let link = link(inside, entry, kind)?;
    configured(inside, &link, ips_of(result, index), result.routes.iter(), None)?;
    Ok(link)
}

/// The result's addresses of its interface number `index`; other plugins' interfaces have addresses too.
pub fn ips_of(result: &CniResult, index: i64) -> impl Iterator<Item = &IpConfig> {
    result.ips.iter().filter(move |ip| ip.interface.is_none_or(|i| i == index))
}

/// Addresses of a link, the routes that come with them, and other routes. Without a table they may be in any: a plugin
/// further down the chain (sbr, vrf) may have moved them.
///
/// # Errors
/// Code 103 naming what is missing.
pub fn configured<'r>(
    inside: &Rtnl,
    link: &Link,
    ips: impl Iterator<Item = &'r IpConfig>,
    routes: impl Iterator<Item = &'r Route>,
    table: Option<u32>,
) -> Result<()> {
    let name = &link.name;
    let missing = |what: String| {
        let place = table.map(|table| format!(" in table {table}")).unwrap_or_default();
        Err(Error::check(format!("{what} is missing{place}")))
    };
    let addresses = inside.addresses(link.index)?;
    let mut there = inside.routes(None)?;
    there.retain(|route| route.is_unicast && table.is_none_or(|table| table == route.table));
    for address in ips.map(|ip| ip.address) {
        if !addresses.iter().any(|a| a.cidr == address) {
            return Err(Error::check(format!("address {address} is missing on {name}")));
        }
        // A host address has no network to be connected to.
        let is_host = address == Cidr::host(address.ip());
        if !is_host && !there.iter().any(|route| route.dst == address.masked()) {
            return missing(format!("the route to {} of {name}", address.masked()));
        }
    }
    for wanted in routes {
        let candidates = there.iter().filter(|route| is_of_destination(route, wanted));
        let mut others = candidates.map(|route| difference(route, wanted));
        let via = wanted.gw.map(|gw| format!(" via {gw}")).unwrap_or_default();
        match others.next() {
            None => return missing(format!("route {}{via}", wanted.dst)),
            Some(Some(difference)) if others.all(|other| other.is_some()) => {
                return Err(Error::check(format!("route {}{via} has {difference}", wanted.dst)));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn is_of_destination(route: &RouteEntry, wanted: &Route) -> bool {
    let any_gateway = wanted.gw.is_none() || wanted.dst.is_default();
    route.dst == wanted.dst.masked()
        && wanted.table.is_none_or(|table| table == route.table)
        && (any_gateway || route.gateways().any(|gw| Some(gw) == wanted.gw))
}

/// In which of the attributes that the result has the route is different, in words.
fn difference(route: &RouteEntry, wanted: &Route) -> Option<String> {
    // Every IPv6 route's scope is global, whatever was asked for.
    let scope = wanted.scope.filter(|_| wanted.dst.is_ipv4()).map(u32::from);
    let set = |value: u32| (value != 0).then_some(value);
    let rows = [
        ("scope", u32::from(route.scope), scope),
        ("priority", route.priority, set(wanted.priority)),
        ("mtu", route.mtu, set(wanted.mtu)),
        ("advmss", route.advmss, set(wanted.advmss)),
    ];
    let mut differences = rows.into_iter().filter_map(|(key, is, wanted)| Some((key, is, wanted?)));
    let (key, is, wanted) = differences.find(|(_, is, wanted)| is != wanted)?;
    Some(format!("{key} {is}, expected {wanted}"))
}

/// The host end of the container's pair, up: some other entry of the result names it, with its hardware address and,
/// where the configuration has `asked` for one ([`mtu`]), its MTU.
///
/// # Errors
/// Code 103 naming what differs.
pub fn host_end(host: &Rtnl, result: &CniResult, container: &Link, asked: u32) -> Result<Link> {
    let peer = veth::find_peer(host, container)?;
    let is_peer = |entry: &&Interface| {
        entry.sandbox.is_empty() && peer.as_ref().is_some_and(|peer| peer.name == entry.name)
    };
    let entry = result.interfaces.iter().find(is_peer).ok_or_else(|| {
        let name = &container.name;
        Error::check(format!("the host end of {name} is gone, or is none of prevResult's interfaces"))
    })?;
    let end = link(host, entry, "veth")?;
    mtu(&end, entry, asked)?;
    up(&end)?;
    Ok(end)
}
