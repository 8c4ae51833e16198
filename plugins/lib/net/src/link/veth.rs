//! veth pairs, born complete in one request: names, addresses, MTU, master, host end up, the other end directly in the
//! container's namespace (moving a device costs 20 ms; a create 0.4 ms).

use cni_types::{AttachmentId, Code, Error, IfName, Mac, Result, hex};

use super::{IFF_UP, Link, first, get, ifinfomsg};
use crate::mac;
use crate::netns::Netns;
use crate::rtnl::message::Request;
use crate::rtnl::{Refused, Rtnl};
use cni_netlink::attr::Attrs;
use cni_netlink::{CREATE, EXCL};

/// `VETH_INFO_PEER` (`linux/veth.h`)
const VETH_INFO_PEER: u16 = 1;
/// How many host names are tried when one is taken.
const NAME_TRIES: u32 = 10;

/// What the pair should be like.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted {
    /// MTU of both ends in bytes; 0 leaves the kernel's default.
    pub mtu: u32,
    /// The container end's address; a random one otherwise.
    pub container_mac: Option<Mac>,
    /// The index of the bridge that the host end joins.
    pub master: Option<u32>,
}

/// A pair that was made: the host end as the kernel describes it, the container end's index and address.
#[derive(Debug, Clone)]
pub struct Veth {
    /// The host end.
    pub host: Link,
    /// The container end's index in its namespace.
    pub container_index: u32,
    /// The container end's address.
    pub container_mac: Mac,
}

/// The name of the attachment's host end: derived from its identity, so that DEL and GC find it; `attempt` counts up
/// when another link has the name.
pub fn host_name(id: &AttachmentId, attempt: u32) -> String {
    let salt = if attempt == 0 { String::new() } else { format!("/{attempt}") };
    format!("veth{}", hex(&format!("{}{salt}", id.tag_prefix()), 8))
}

/// Makes the attachment's pair.
///
/// # Errors
/// Code 100: the name is taken in the container, or what the kernel refused.
pub fn create(host: &Rtnl, inside: &Rtnl, netns: &Netns, id: &AttachmentId, wanted: &Wanted) -> Result<Veth> {
    let mut name = String::new();
    for attempt in 0..NAME_TRIES {
        name = host_name(id, attempt);
        match create_named(host, netns, &name, &id.ifname, wanted)? {
            Ok(veth) => return Ok(veth),
            Err(refused) if refused.is_exist() => {
                if inside.find_link(id.ifname.as_str())?.is_some() {
                    break;
                }
            }
            Err(refused) => return Err(refused.into()),
        }
    }
    Err(Error::new(
        Code::KERNEL,
        format!("container veth name ({}) peer provided ({name}) already exists", id.ifname),
    )
    .because(format!(
        "a link of one of these names is there; see `ip link` on the host and in {}",
        netns.path().display()
    )))
}

fn create_named(
    host: &Rtnl,
    netns: &Netns,
    name: &str,
    ifname: &IfName,
    wanted: &Wanted,
) -> Result<std::result::Result<Veth, Refused>> {
    let container_mac = wanted.container_mac.map_or_else(mac::random, Ok)?;
    let mut body = Attrs::behind(&ifinfomsg(0, IFF_UP, IFF_UP));
    body.text(libc::IFLA_IFNAME, name);
    body.bytes(libc::IFLA_ADDRESS, &mac::random()?.0);
    put_mtu(&mut body, wanted.mtu);
    if let Some(master) = wanted.master {
        body.host32(libc::IFLA_MASTER, master);
    }
    body.nest(libc::IFLA_LINKINFO, |info| {
        info.bytes(libc::IFLA_INFO_KIND, b"veth");
        info.nest(libc::IFLA_INFO_DATA, |data| {
            data.nest(VETH_INFO_PEER, |peer| {
                // The peer cannot be brought up here: the kernel opens it before the two are tied (ENOTCONN).
                peer.raw(&ifinfomsg(0, 0, 0));
                peer.text(libc::IFLA_IFNAME, ifname.as_str());
                peer.bytes(libc::IFLA_ADDRESS, &container_mac.0);
                put_mtu(peer, wanted.mtu);
                peer.host32(libc::IFLA_NET_NS_FD, netns.fd());
            });
        });
    });
    let doing = format!("create veth pair {name} on the host and {ifname} in {}", netns.path().display());
    let create = Request::new(doing, libc::RTM_NEWLINK, CREATE | EXCL, body);
    let mut answers = host.pipeline(vec![create, get(format!("look up link {name}"), 0, Some(name))]);
    let found = answers.pop().map(first);
    if let Some(Err(refused)) = answers.pop() {
        return Ok(Err(refused));
    }
    let gone = || Error::new(Code::KERNEL, format!("link {name} vanished right after its creation"));
    let link = found.transpose()?.flatten().ok_or_else(gone)?;
    let container_index = link.peer.ok_or_else(gone)?;
    Ok(Ok(Veth { host: link, container_index, container_mac }))
}

fn put_mtu(body: &mut Attrs, mtu: u32) {
    if mtu != 0 {
        body.host32(libc::IFLA_MTU, mtu);
    }
}

/// The host end of the attachment, if it is there: by its name, proven by its tag.
///
/// # Errors
/// Code 100 when the kernel refuses to say.
pub fn find_host_end(host: &Rtnl, id: &AttachmentId) -> Result<Option<Link>> {
    let prefix = id.tag_prefix();
    for attempt in 0..NAME_TRIES {
        match host.find_link(&host_name(id, attempt))? {
            Some(link) if link.alias.starts_with(&prefix) => return Ok(Some(link)),
            // Somebody else has the name: ours may be the next.
            Some(_) => {}
            None => return Ok(None),
        }
    }
    Ok(None)
}

/// Writes the owner's tag on a host link (`IFLA_IFALIAS`), where `ip link` shows it and DEL and GC look for it.
pub(crate) fn put_tag(body: &mut Attrs, id: &AttachmentId) {
    body.bytes(libc::IFLA_IFALIAS, id.tag().as_bytes());
}

/// Tags the host end.
///
/// # Errors
/// Code 100 when the kernel refuses.
pub fn tag(host: &Rtnl, veth: &Veth, id: &AttachmentId) -> Result<()> {
    let mut body = Attrs::behind(&ifinfomsg(veth.host.index, 0, 0));
    put_tag(&mut body, id);
    let doing = format!("set the alias of link {}", veth.host.name);
    Ok(host.all(vec![Request::new(doing, libc::RTM_SETLINK, 0, body)])?)
}

/// Deletes the host ends of attachments of `network` that are not in `valid` (GC). Only tagged links are ours.
///
/// # Errors
/// All failures, folded, after every link was tried.
pub fn collect(host: &Rtnl, network: &cni_types::NetworkName, valid: &[AttachmentId]) -> Result<()> {
    let network_prefix = format!("{}-", cni_types::network_tag_prefix(network));
    let valid: Vec<_> = valid.iter().map(AttachmentId::tag_prefix).collect();
    let stale = host.links(Some("veth"))?.into_iter().filter(|link| {
        link.alias.starts_with(&network_prefix) && !valid.iter().any(|prefix| link.alias.starts_with(prefix))
    });
    Error::all(stale.filter_map(|link| host.remove_link_if_present(link.index).err()).collect())
}

/// Deletes the attachment's pair: by the container end where the namespace is still there, else (or when the container
/// has renamed its end) by the host end. A link of another kind under the interface's name is not ours and stays.
///
/// # Errors
/// All failures, folded, after both ways were tried.
pub fn remove_if_present(id: &AttachmentId, netns: Option<&std::path::Path>) -> Result<()> {
    let host = Rtnl::open()?;
    let by_container_end = || match Netns::find(netns)? {
        Some(netns) => {
            let inside = Rtnl::open_in(&netns)?;
            let link = inside.find_link(id.ifname.as_str())?.filter(|link| link.kind == "veth");
            link.map_or(Ok(()), |link| inside.remove_link_if_present(link.index))
        }
        None => Ok(()),
    };
    let by_host_end = || match find_host_end(&host, id)? {
        Some(link) => host.remove_link_if_present(link.index),
        None => Ok(()),
    };
    Error::all([by_container_end(), by_host_end()].into_iter().filter_map(Result::err).collect())
}

/// Makes a pair in a throw-away namespace: what STATUS asks.
///
/// # Errors
/// Code 100 with what the kernel refused.
pub fn probe(rtnl: &Rtnl) -> Result<()> {
    let mut body = Attrs::behind(&ifinfomsg(0, 0, 0));
    body.text(libc::IFLA_IFNAME, "probe");
    body.nest(libc::IFLA_LINKINFO, |info| info.bytes(libc::IFLA_INFO_KIND, b"veth"));
    Ok(rtnl.all(vec![Request::new("create a veth pair", libc::RTM_NEWLINK, CREATE | EXCL, body)])?)
}

/// A pair with both ends on the host: `name`, and a port of `bridge`. The one that is there is taken, and its ends
/// brought up and into the bridge if they are not.
///
/// # Errors
/// Code 7 when the name belongs to a link that is not half of a pair; code 100 for what the kernel refused.
pub fn ensure_on_bridge(host: &Rtnl, bridge: &Link, name: &IfName) -> Result<Link> {
    let mut body = Attrs::behind(&ifinfomsg(0, IFF_UP, IFF_UP));
    body.text(libc::IFLA_IFNAME, &format!("veth{}", hex(&format!("{}/{name}", bridge.name), 8)));
    put_mtu(&mut body, bridge.mtu);
    body.host32(libc::IFLA_MASTER, bridge.index);
    body.nest(libc::IFLA_LINKINFO, |info| {
        info.bytes(libc::IFLA_INFO_KIND, b"veth");
        info.nest(libc::IFLA_INFO_DATA, |data| {
            data.nest(VETH_INFO_PEER, |peer| {
                peer.raw(&ifinfomsg(0, 0, 0));
                peer.text(libc::IFLA_IFNAME, name.as_str());
                put_mtu(peer, bridge.mtu);
            });
        });
    });
    if host.find_link(name.as_str())?.is_none() {
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
    let peer = link.peer.filter(|_| link.kind == "veth").ok_or_else(taken)?;
    let port =
        host.find_link_by_index(peer)?.filter(|port| port.master == Some(bridge.index)).ok_or_else(taken)?;
    for end in [&port, &link] {
        if !end.is_up() {
            host.set_flags(end, IFF_UP, IFF_UP)?;
        }
    }
    Ok(link)
}
