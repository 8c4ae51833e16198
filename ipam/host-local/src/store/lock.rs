//! The lock of one network's directory, shared with the reference: `flock(2)` on the file `lock`.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::time::Duration;

use cni_skel::FileLock;
use cni_types::{Doing, Result};
use nix::fcntl::OFlag;

use super::directory::Directory;

/// Name of the lock file.
const NAME: &str = "lock";
/// Its mode: whoever can open it can hold it.
const MODE: u16 = 0o600;
/// How long to wait for another holder. One operation takes about a millisecond, with the reference at work in a
/// directory of 60 000 addresses about half a second.
const BOUND: Duration = Duration::from_secs(5);

/// The lock, held until dropped.
pub(crate) struct Lock {
    _held: FileLock,
}

impl Lock {
    /// Takes the lock. The wait is bounded, and first come is first served. `None`: somebody removed the lock's file or
    /// the whole directory meanwhile. Such a lock would lock nobody out, since the next process makes another.
    ///
    /// # Errors
    /// Code 11 past the bound, naming the file and its holder; code 5 when the file cannot be opened or locked.
    pub(crate) fn acquire(directory: &Directory) -> Result<Option<Self>> {
        let path = directory.path().join(NAME);
        let doing = || format!("cannot lock {}", path.display());
        let file = match directory.open_entry(NAME, OFlag::O_RDONLY | OFlag::O_CREAT, MODE) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.doing(doing())?,
        };
        // It may be the reference's, or of an earlier version.
        if file.metadata().doing(doing())?.mode() & 0o7777 != u32::from(MODE) {
            file.set_permissions(Permissions::from_mode(MODE.into())).doing(doing())?;
        }
        let held = FileLock::acquire(file, &path, BOUND)?;
        let has_name = held.file().metadata().doing(doing())?.nlink() > 0;
        Ok(has_name.then_some(Self { _held: held }))
    }
}
