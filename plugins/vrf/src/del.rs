//! DEL.

use cni_net::{Link, Netns, Rtnl, vrf};
use cni_part::Host;
use cni_skel::Detachment;
use cni_types::{Result, Stale};

use crate::conf::Conf;

/// Takes the interface out of its VRF, and deletes the VRF when that was the last member. A VRF without members that
/// was made for this network goes too: its ADD was killed, or the interface went first.
///
/// # Errors
/// Code 8 when the namespace is there but cannot be opened; code 100 when the kernel refuses.
pub(crate) fn del(_host: &Host, detachment: &Detachment) -> Result<()> {
    let Some(netns) = Netns::find(detachment.netns.as_deref())? else { return Ok(()) };
    let inside = Rtnl::open_in(&netns)?;
    let link = inside.find_link(detachment.id.ifname.as_str())?;
    let Some(vrf) = find(detachment, &inside, link.as_ref())? else { return Ok(()) };
    match link.filter(|link| link.master == Some(vrf.index)) {
        Some(link) => inside.leave(&link)?,
        None if !Stale::all(&detachment.network.name).includes(&vrf.alias) => return Ok(()),
        None => {}
    }
    inside.remove_vrf_if_empty(&vrf)
}

/// The configured VRF; the interface's own when the configuration makes no sense any more.
fn find(detachment: &Detachment, inside: &Rtnl, link: Option<&Link>) -> Result<Option<Link>> {
    let found = match (Conf::read(&detachment.network), link.and_then(|link| link.master)) {
        (Ok(conf), _) => inside.find_link(conf.name.as_str())?,
        (Err(_), Some(master)) => inside.find_link_by_index(master)?,
        (Err(_), None) => None,
    };
    // The namespace's path may be another container's by now.
    let id = &detachment.id;
    Ok(found.filter(|link| link.kind == vrf::KIND && !id.is_of_another_container(&link.alias)))
}
