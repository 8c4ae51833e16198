//! DEL and GC.

use cni_skel::Detachment;
use cni_skel::delegate::ipam;
use cni_types::{AttachmentId, Network, Result};

use crate::link::Link;
use crate::netns::Netns;
use crate::rtnl::Rtnl;

/// Removes the attachment's link from the container, by its owner's tag or its name, and gives its addresses back. It
/// needs neither prevResult nor a namespace, and no key but `ipam.type`. A link under the interface's name that is of
/// another kind than `kind`, or another attachment's, is not ours and stays.
///
/// # Errors
/// All failures, folded, after everything was tried.
pub fn del(detachment: &Detachment, kind: &str) -> Result<()> {
    ipam::detach(detachment, || {
        let Some(netns) = Netns::find(detachment.netns.as_deref())? else { return Ok(()) };
        let inside = Rtnl::open_in(&netns)?;
        find(&inside, detachment, kind)?.map_or(Ok(()), |link| inside.remove_link_if_present(link.index))
    })
}

fn find(inside: &Rtnl, detachment: &Detachment, kind: &str) -> Result<Option<Link>> {
    let id = &detachment.id;
    let named = inside.find_link(id.ifname.as_str())?.filter(|link| link.kind == kind);
    if named.as_ref().is_some_and(|link| id.owns(&link.alias)) {
        return Ok(named);
    }
    let tagged = inside.tagged(kind, |alias| id.owns(alias))?.into_iter().next();
    // One without a tag is the reference's, or its ADD was killed in between.
    Ok(tagged.or_else(|| named.filter(|link| !AttachmentId::is_tag(&link.alias))))
}

/// All that such a plugin leaves on the host are addresses in IPAM: the link goes with the container.
///
/// # Errors
/// Code 7 without the list of valid attachments; those of the IPAM plugin.
pub fn gc(network: &Network) -> Result<()> {
    network.valid_attachments()?;
    ipam::gc(network)
}
