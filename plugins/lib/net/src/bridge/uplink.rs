//! The link between a bridge's VLAN and the host.

use cni_netlink::Refused;
use cni_types::{Code, Error, IfName, Result, hex};

use super::vlan::{self, Vlan};
use crate::link::{IFF_UP, Link, request, veth};
use crate::rtnl::Rtnl;
use crate::sysctl;

/// A pair with both ends on the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uplink {
    /// The host's own end, which has the addresses.
    pub link: Link,
    /// The other one, a port of the bridge.
    pub port: Link,
}

/// The pair whose host's end is named `name`, if there is a link of that name.
///
/// # Errors
/// Code 7 when that is not half of a pair into `bridge`; code 100 when the kernel refuses to say.
pub fn find(host: &Rtnl, bridge: &Link, name: &IfName) -> Result<Option<Uplink>> {
    let Some(link) = host.find_link(name.as_str())? else { return Ok(None) };
    let port = veth::find_peer(host, &link)?.filter(|port| port.master == Some(bridge.index));
    let port = port.ok_or_else(|| {
        Error::config(format!("{name} already exists but is not a veth pair on bridge {}", bridge.name))
            .because(format!("see `ip link show {name}`; rename or delete it, or choose another bridge"))
    })?;
    Ok(Some(Uplink { link, port }))
}

/// Makes the pair between the host and a port of `bridge` in `vlan`, or completes the one that is there. It comes up as
/// the last thing: then the port is in its VLAN and no other, and neither end listens to router advertisements.
///
/// # Errors
/// As [`find`]; code 100 for what the kernel refused.
pub fn ensure(host: &Rtnl, bridge: &Link, name: &IfName, vlan: u16) -> Result<Link> {
    let there = find(host, bridge, name)?.map_or_else(|| create(host, bridge, name), Ok)?;
    let Uplink { link, port } = there;
    for end in [&port, &link] {
        sysctl::ignore_router_advertisements(end);
    }
    vlan::apply(host, port.index, &format!("the port of {name}"), &[Vlan::native(vlan)], true)?;
    for end in [&port, &link] {
        if !end.is_up() {
            host.set_flags(end, IFF_UP, IFF_UP)?;
        }
    }
    Ok(link)
}

/// Both ends are down.
fn create(host: &Rtnl, bridge: &Link, name: &IfName) -> Result<Uplink> {
    let port = format!("veth{}", hex(&format!("{}/{name}", bridge.name), 8));
    let body = veth::pair(&port, Some(bridge.index), bridge.mtu, |peer| {
        peer.text(libc::IFLA_IFNAME, name.as_str());
    })?;
    let create = request::create(format!("create veth pair {name}"), body);
    // It is there when another ADD was first.
    host.socket.change(&[create]).or_else(Refused::unless_there)?;
    let gone =
        || Error::new(Code::KERNEL, format!("there is no link {name}, though its port {port} is there"));
    find(host, bridge, name)?.ok_or_else(gone)
}
