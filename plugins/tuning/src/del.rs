//! DEL.

use std::fmt::Display;

use cni_net::{Link, Netns, Rtnl};
use cni_skel::{Detachment, tell};
use cni_types::{Mac, Result};

use crate::attributes::Attributes;
use crate::backup::Backups;
use crate::conf::Conf;

/// What cannot be restored is told on stderr and keeps nothing from going: mostly the interface goes next. Its backup
/// stays, for GC; one that nobody can read, or whose interface is gone, is of no use. What somebody has changed since
/// ADD stays as it is.
///
/// # Errors
/// Code 5 when the backup cannot be removed, code 8 when the namespace is there but cannot be opened.
pub(crate) fn del(detachment: &Detachment) -> Result<()> {
    let backups = Backups::of(&detachment.network);
    match backups.read(&detachment.id) {
        Ok(Some(before)) => {
            if let Err(error) = restore(detachment, &before)? {
                warn(&error);
                return Ok(());
            }
        }
        Err(error) => warn(&error),
        Ok(None) => {}
    }
    backups.remove_if_present(&detachment.id)
}

/// The outer result is about the namespace, the inner one about the interface in it.
fn restore(detachment: &Detachment, before: &Attributes) -> Result<Result<()>> {
    let Some(netns) = Netns::find(detachment.netns.as_deref())? else { return Ok(Ok(())) };
    let inside = Rtnl::open_in(&netns)?;
    let ifname = &detachment.id.ifname;
    let Some(link) = inside.find_link(ifname.as_str())? else { return Ok(Ok(())) };
    if is_another(detachment, &link) {
        warn(&format!("{ifname} in {} is another interface by now", netns.path().display()));
        return Ok(Ok(()));
    }
    // A configuration that makes no sense any more says nothing.
    let set = Conf::read(&detachment.network).map(|conf| conf.attributes).unwrap_or_default();
    Ok(before.still_ours(&set, &link).restore(&inside, &link))
}

/// Whether the interface has another MAC address than the result of the ADD says: then the name, or the namespace's
/// path, is another container's.
fn is_another(detachment: &Detachment, link: &Link) -> bool {
    let Some(result) = detachment.result_hint() else { return false };
    let mut entries = result.interfaces.iter().filter(|i| i.name == link.name && !i.sandbox.is_empty());
    let mac = entries.find_map(|entry| entry.mac.parse::<Mac>().ok());
    mac.is_some_and(|mac| link.mac != Some(mac))
}

fn warn(why: &impl Display) {
    tell(format_args!("tuning: the interface is not as it was before ADD: {why}"));
}
