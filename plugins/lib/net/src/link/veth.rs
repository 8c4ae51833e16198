//! veth pairs, born complete in one request: names, addresses, MTU, master, the other end directly in the
//! container's namespace (moving a device costs 20 ms; a create 0.4 ms).

mod name;
mod owned;

use cni_types::{AttachmentId, Code, Error, Mac, Result};

use super::Link;
use super::request::{self, about_named, ifinfomsg, put_kind, put_mtu};
use crate::mac;
use crate::netns::Netns;
use crate::rtnl::Rtnl;
use cni_netlink::Refused;
use cni_netlink::attr::Attrs;
use name::NAME_TRIES;
pub use name::host_name;
pub use owned::{find_peer, refuse_second, remove_if_present};

/// `VETH_INFO_PEER` (`linux/veth.h`)
const VETH_INFO_PEER: u16 = 1;
/// What the pair should be like.
#[derive(Debug, Clone, Copy, Default)]
pub struct NewPair {
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

/// Makes the attachment's pair. One that it has to a namespace that is dying is waited for to go.
///
/// # Errors
/// Code 100: the name is taken in the container, the attachment has a pair to another namespace, or what the kernel
/// refused.
pub fn create(
    host: &Rtnl,
    inside: &Rtnl,
    netns: &Netns,
    id: &AttachmentId,
    wanted: &NewPair,
) -> Result<Veth> {
    let mut name = String::new();
    for attempt in 0..NAME_TRIES {
        name = host_name(id, attempt);
        match host.find_link(&name)? {
            Some(link) if id.owns(&link.alias) => owned::wait_until_gone(host, id, &link)?,
            Some(_) => continue,
            None => {}
        }
        match create_named(host, netns, &name, id, wanted)? {
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
    id: &AttachmentId,
    wanted: &NewPair,
) -> Result<std::result::Result<Veth, Refused>> {
    let ifname = &id.ifname;
    let container_mac = wanted.container_mac.map_or_else(mac::random, Ok)?;
    let body = pair(name, wanted.master, wanted.mtu, |peer| {
        peer.text(libc::IFLA_IFNAME, ifname.as_str());
        peer.bytes(libc::IFLA_ADDRESS, &container_mac.0);
        peer.host32(libc::IFLA_NET_NS_FD, netns.fd());
    })?;
    let doing = format!("create veth pair {name} on the host and {ifname} in {}", netns.path().display());
    let link = match host.create_owned(request::create(doing, body), name, id)? {
        Ok(link) => link,
        Err(refused) => return Ok(Err(refused)),
    };
    let gone =
        || Error::new(Code::KERNEL, format!("the peer of link {name} vanished right after its creation"));
    let container_index = link.iflink.ok_or_else(gone)?;
    Ok(Ok(Veth { host: link, container_index, container_mac }))
}

/// The body of the request for a pair: an end `name` with a random address, and a peer with `fill`'s
/// attributes. The peer cannot be brought up along with it: the kernel would open it before the two are tied.
pub(crate) fn pair(
    name: &str,
    master: Option<u32>,
    mtu: u32,
    fill: impl FnOnce(&mut Attrs),
) -> Result<Attrs> {
    let mut body = about_named(name);
    body.bytes(libc::IFLA_ADDRESS, &mac::random()?.0);
    put_mtu(&mut body, mtu);
    if let Some(master) = master {
        body.host32(libc::IFLA_MASTER, master);
    }
    put_kind(&mut body, "veth", |data| {
        data.nest(VETH_INFO_PEER, |peer| {
            peer.raw(&ifinfomsg(0, 0, 0));
            put_mtu(peer, mtu);
            fill(peer);
        });
    });
    Ok(body)
}

/// Makes a pair in a throw-away namespace: what STATUS asks.
///
/// # Errors
/// Code 100 with what the kernel refused.
pub fn probe(rtnl: &Rtnl) -> Result<()> {
    let body = pair("probe", None, 0, |peer| peer.text(libc::IFLA_IFNAME, "probed"))?;
    Ok(rtnl.socket.change(&[request::create("create a veth pair", body)])?)
}
