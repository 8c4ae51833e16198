//! The link between a bridge's VLAN and the host.

use cni_netlink::{CREATE, EXCL};
use cni_types::{Error, IfName, Result, hex};

use crate::link::{IFF_UP, Link, veth};
use crate::rtnl::Rtnl;
use crate::rtnl::message::Request;

/// A pair with both ends on the host: `name`, and a port of `bridge`. The one that is there is taken, and its ends
/// brought up and into the bridge if they are not.
///
/// # Errors
/// Code 7 when the name belongs to a link that is not half of a pair; code 100 for what the kernel refused.
pub fn ensure(host: &Rtnl, bridge: &Link, name: &IfName) -> Result<Link> {
    if host.find_link(name.as_str())?.is_none() {
        let port = format!("veth{}", hex(&format!("{}/{name}", bridge.name), 8));
        let body = veth::pair(&port, Some(bridge.index), bridge.mtu, |peer| {
            peer.text(libc::IFLA_IFNAME, name.as_str());
        })?;
        let create = Request::new(format!("create veth pair {name}"), libc::RTM_NEWLINK, CREATE | EXCL, body);
        match host.request(create) {
            // Another ADD was first.
            Err(refused) if refused.is_exist() => {}
            answer => {
                answer?;
            }
        }
    }
    let link = host.link(name.as_str())?;
    let taken =
        || Error::config(format!("{name} already exists but is not a veth pair on bridge {}", bridge.name));
    let peer = link.iflink.filter(|_| link.kind == "veth").ok_or_else(taken)?;
    let port =
        host.find_link_by_index(peer)?.filter(|port| port.master == Some(bridge.index)).ok_or_else(taken)?;
    for end in [&port, &link] {
        if !end.is_up() {
            host.set_flags(end, IFF_UP, IFF_UP)?;
        }
    }
    Ok(link)
}
