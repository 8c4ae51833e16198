//! Host ends of pairs, found by the attachment they belong to.

use std::path::Path;

use cni_types::{AttachmentId, Error, NetworkName, Result, Stale};

use super::{NAME_TRIES, host_name};
use crate::link::Link;
use crate::netns::Netns;
use crate::rtnl::Rtnl;

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

/// Deletes the host ends of attachments of `network` that are not in `valid` (GC). Only tagged links are ours.
///
/// # Errors
/// All failures, folded, after every link was tried.
pub fn collect(host: &Rtnl, network: &NetworkName, valid: &[AttachmentId]) -> Result<()> {
    let stale = Stale::new(network, valid);
    let stale = host.tagged("veth", |alias| stale.includes(alias))?.into_iter();
    Error::all(stale.filter_map(|link| host.remove_link_if_present(link.index).err()).collect())
}

/// Deletes the attachment's pair: by the container end where the namespace is still there, else (or when the container
/// has renamed its end) by the host end. A link of another kind under the interface's name is not ours and stays.
///
/// # Errors
/// All failures, folded, after both ways were tried.
pub fn remove_if_present(id: &AttachmentId, netns: Option<&Path>) -> Result<()> {
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
