//! Pairs, found by the attachment they belong to.

use std::path::Path;
use std::time::Duration;

use cni_types::{AttachmentId, Error, Result};

use super::name::{NAME_TRIES, host_name};
use crate::events::Events;
use crate::link::{Link, first, get};
use crate::netns::Netns;
use crate::rtnl::Rtnl;

/// How long the kernel may take to remove the pair of a container whose namespace has just died.
const GONE_LIMIT: Duration = Duration::from_secs(3);

/// The other end of `end`, if it is in the namespace of `place`: a pair's ends name each other.
///
/// # Errors
/// Code 100 when the kernel refuses to say.
pub fn find_peer(place: &Rtnl, end: &Link) -> Result<Option<Link>> {
    let Some(index) = end.iflink.filter(|_| end.kind == "veth") else { return Ok(None) };
    let there = place.find_link_by_index(index)?;
    Ok(there.filter(|peer| peer.kind == "veth" && peer.iflink == Some(end.index)))
}

/// Refuses an ADD of what is attached already, before anything is made: the container may call its end anything by now,
/// the owner's tag on the host end does not change.
///
/// # Errors
/// Code 100 naming both ends.
pub fn refuse_second(host: &Rtnl, inside: &Rtnl, netns: &Netns, id: &AttachmentId) -> Result<()> {
    for end in inside.tagged("veth", |_| true)? {
        let peer = find_peer(host, &end)?.filter(|peer| id.owns(&peer.alias));
        if let Some(peer) = peer {
            return Err(id.attached_already(&format!(
                "it is {} in {}, its host end {}",
                end.name,
                netns.path().display(),
                peer.name
            )));
        }
    }
    Ok(())
}

/// Waits until the kernel has removed `link`, the attachment's host end of before: it goes along with its container's
/// namespace, a moment later.
///
/// # Errors
/// Code 100 when it stays: the attachment is in another namespace, and in use.
pub(super) fn wait_until_gone(host: &Rtnl, id: &AttachmentId, link: &Link) -> Result<()> {
    let events = Events::of_links()?;
    let gone = || {
        let left = host.find_link_by_index(link.index)?.filter(|left| left.alias == link.alias);
        Ok(Some(()).filter(|()| left.is_none()))
    };
    events.ask_until(GONE_LIMIT, gone)?.ok_or_else(|| {
        id.attached_already(&format!("its host end is {}, of a pair to another namespace", link.name))
    })
}

/// The host ends of the attachment that are there: by the names they may have, proven by the tag.
fn host_ends(host: &Rtnl, id: &AttachmentId) -> Result<Vec<Link>> {
    let names = (0..NAME_TRIES).map(|attempt| host_name(id, attempt));
    let look = names.map(|name| get(format!("look up link {name}"), 0, Some(&name)));
    let found: std::result::Result<Vec<_>, _> =
        host.socket.ask(&look.collect::<Vec<_>>()).into_iter().map(first).collect();
    Ok(found?.into_iter().flatten().filter(|link| id.owns(&link.alias)).collect())
}

/// Deletes the attachment's pair: by the container end where the namespace is still there, and (also when the container
/// has renamed its end) by every host end that has the attachment's tag. What else has the interface's name stays.
///
/// # Errors
/// All failures, folded, after both ways were tried.
pub fn remove_if_present(host: &Rtnl, id: &AttachmentId, netns: Option<&Path>) -> Result<()> {
    let by_container_end = || {
        let Some(netns) = Netns::find(netns)? else { return Ok(()) };
        let inside = Rtnl::open_in(&netns)?;
        let Some(link) = inside.find_link(id.ifname.as_str())? else { return Ok(()) };
        if is_ours(host, &inside, &link, id)? { inside.remove_link_if_present(link.index) } else { Ok(()) }
    };
    let by_host_end = || {
        let ends = host_ends(host, id)?;
        Error::all(ends.iter().map(|link| host.remove_link_if_present(link.index)))
    };
    Error::all([by_container_end(), by_host_end()])
}

/// Whether the container's link under the interface's name is the attachment's: the namespace may be another
/// container's by now, so the other end's tag decides. One without a tag is the reference's, whose pairs end on the
/// host; a pair within the container is its own.
fn is_ours(host: &Rtnl, inside: &Rtnl, link: &Link, id: &AttachmentId) -> Result<bool> {
    if link.kind != "veth" {
        return Ok(false);
    }
    match find_peer(host, link)? {
        Some(peer) => Ok(id.owns(&peer.alias) || !AttachmentId::is_tag(&peer.alias)),
        None => Ok(find_peer(inside, link)?.is_none()),
    }
}
