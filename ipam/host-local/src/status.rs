//! STATUS: would an ADD get its addresses?

use std::path::Path;

use cni_types::{Code, Error, Result};
use nix::unistd::{AccessFlags, access};

use crate::conf::Conf;
use crate::lease::usage;
use crate::store::Store;

/// Probes all that ADD needs, without leaving anything.
///
/// # Errors
/// Code 50: the resolver file is unreadable, the data directory not writable, a range set full. Code 11 when the lock
/// stays held.
pub(crate) fn probe(conf: &Conf) -> Result<()> {
    conf.dns().map_err(unavailable)?;
    let Some(mut store) = Store::find(&conf.directory).map_err(unavailable)? else {
        return require_writable_parent(&conf.directory);
    };
    store.probe().map_err(unavailable)?;
    for (i, set) in conf.sets.iter().enumerate() {
        if store.len().is_some_and(|len| (len as u128) < set.capacity()) {
            continue;
        }
        let (used, free) = usage(&mut store, set).map_err(unavailable)?;
        if free == 0 {
            return Err(Error::unavailable(format!("range set {i} has no IP addresses available: {set}")).because(
                format!(
                    "used {used}, free 0, data directory {}; GC frees what containers that are gone left behind",
                    conf.directory.display()
                ),
            ));
        }
    }
    Ok(())
}

/// Before the first ADD there is no directory: then the nearest one above must take it.
fn require_writable_parent(directory: &Path) -> Result<()> {
    // A relative dataDir ends in the empty path, which is the working directory.
    let above =
        directory.ancestors().skip(1).map(|p| if p.as_os_str().is_empty() { Path::new(".") } else { p });
    let Some(nearest) = above.into_iter().find(|path| path.symlink_metadata().is_ok()) else { return Ok(()) };
    let writable = if nearest.is_dir() {
        access(nearest, AccessFlags::W_OK | AccessFlags::X_OK).map_err(|errno| errno.to_string())
    } else {
        Err("it is not a directory".to_owned())
    };
    writable.map_err(|cause| {
        Error::unavailable(format!(
            "cannot make the data directory {} (key \"dataDir\")",
            directory.display()
        ))
        .because(format!("{}: {cause}", nearest.display()))
    })
}

/// What stands in ADD's way for good is code 50; a held lock stays code 11, and bad configuration code 7.
fn unavailable(error: Error) -> Error {
    if error.code == Code::TRY_AGAIN { error } else { error.with_code(Code::UNAVAILABLE) }
}
