//! Intermediate functional blocks: links whose only use is their queue. What is redirected into one comes out where it
//! would have gone, through its qdisc.

use cni_netlink::Request;
use cni_types::{AttachmentId, Code, Error, Result, hex};

use super::Link;
use super::request::{self, about_named, put_kind};
use crate::rtnl::Rtnl;

/// The names tried for the attachment's ifb. The first is the reference's, so that it finds ours; it does not know
/// interface names, so a container's second interface gets the other one.
fn names(id: &AttachmentId) -> [String; 2] {
    [reference_name(id), format!("bwp{}", hex(&id.tag_prefix(), 12))]
}

/// The name the reference gives the ifb of any interface of the container.
pub fn reference_name(id: &AttachmentId) -> String {
    format!("bwp{}", id.container_hash(12))
}

/// Makes the attachment's ifb: up, with this MTU in bytes, without a queue of its own, tagged with its owner.
///
/// # Errors
/// Code 100 when the attachment has one already, or what the kernel refused.
pub fn create(host: &Rtnl, id: &AttachmentId, mtu: u32) -> Result<Link> {
    let names = names(id);
    for name in &names {
        match host.find_link(name)? {
            None => return Ok(host.create_owned(new(name, mtu), name, id)??),
            Some(link) if id.owns(&link.alias) => break,
            Some(_) => {}
        }
    }
    let [shared, own] = names;
    Err(Error::new(Code::KERNEL, format!("the ifb of interface {} already exists", id.ifname)).because(
        format!("see `ip link show {shared}` and `ip link show {own}`; was this container's DEL forgotten?"),
    ))
}

fn new(name: &str, mtu: u32) -> Request {
    let mut body = about_named(name);
    body.host32(libc::IFLA_MTU, mtu);
    body.host32(libc::IFLA_TXQLEN, 0);
    put_kind(&mut body, "ifb", |_| {});
    request::create(format!("create ifb {name}"), body)
}

/// The attachment's ifb, if it is there: by its name, proven by its tag.
///
/// # Errors
/// Code 100 when the kernel refuses to say.
pub fn find(host: &Rtnl, id: &AttachmentId) -> Result<Option<Link>> {
    for name in names(id) {
        if let Some(link) = host.find_link(&name)?.filter(|link| id.owns(&link.alias)) {
            return Ok(Some(link));
        }
    }
    Ok(None)
}

/// The ifb under the reference's name for this container, if it has no owner's tag and so is the reference's.
///
/// # Errors
/// Code 100 when the kernel refuses to say.
pub fn find_untagged(host: &Rtnl, id: &AttachmentId) -> Result<Option<Link>> {
    let link = host.find_link(&reference_name(id))?;
    Ok(link.filter(|link| link.kind == "ifb" && link.alias.is_empty()))
}

/// Makes an ifb in a throw-away namespace: what STATUS asks.
///
/// # Errors
/// Code 100 with what the kernel refused.
pub fn probe(rtnl: &Rtnl) -> Result<Link> {
    rtnl.socket.change(&[new("probe", 1500)])?;
    rtnl.link("probe")
}
