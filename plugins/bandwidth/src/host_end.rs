//! The link on the host that the limits are for.

use cni_net::Link;
use cni_part::Site;
use cni_types::{CniResult, Code, Error, Result};

/// The host end of the container's pair; it must be one of the result's interfaces.
///
/// # Errors
/// `code` when the container's interface is gone or has no such host end, code 8 without the namespace, code 100 when
/// the kernel refuses to say.
pub(crate) fn find(site: &Site<'_>, result: &CniResult, code: Code) -> Result<Link> {
    let (ifname, host) = (&site.attachment.id.ifname, site.host.rtnl()?);
    let refused = |what: String| {
        Error::new(code, what).because(format!(
            "bandwidth limits the host end of a veth pair: it must come after a plugin that makes one for {ifname}, \
             such as bridge or ptp"
        ))
    };
    let inside = site.inside()?.find_link(ifname.as_str())?;
    let Some(inside) = inside else {
        let netns = site.netns()?.path().display();
        return Err(refused(format!("there is no interface {ifname} in {netns}")));
    };
    let peer = inside
        .iflink
        .filter(|_| inside.kind == "veth")
        .map(|index| host.find_link_by_index(index))
        .transpose()?;
    // The peer may be in a third namespace, and its index that of any link here.
    let is_peer = |link: &Link| link.kind == "veth" && link.iflink == Some(inside.index);
    let Some(link) = peer.flatten().filter(is_peer) else {
        return Err(refused(format!("interface {ifname} has no veth peer on the host")));
    };
    if result.interfaces.iter().any(|i| i.name == link.name && i.sandbox.is_empty()) {
        return Ok(link);
    }
    Err(refused(format!(
        "{}, the veth peer of {ifname}, is none of prevResult's interfaces on the host",
        link.name
    )))
}
