//! DEL.

use cni_net::{Netns, Rtnl};
use cni_types::{Detachment, Error, Result, tell};

use crate::attributes::Attributes;
use crate::backup::Backups;

/// What cannot be restored is told on stderr and keeps nothing from going: mostly the interface goes next. Its backup
/// stays, for GC; one that nobody can read, or whose interface is gone, is of no use.
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
    let link = inside.find_link(detachment.id.ifname.as_str())?;
    Ok(link.map_or(Ok(()), |link| before.restore(&inside, &link)))
}

fn warn(error: &Error) {
    tell(format_args!("tuning: the interface is not as it was before ADD: {error}"));
}
