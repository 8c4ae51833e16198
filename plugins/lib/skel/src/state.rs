//! Files and directories the suite keeps its state in: for their owner alone whatever the umask is, and never reached
//! through a symbolic link that somebody else may have laid there.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use cni_types::{Doing, Result};
use nix::errno::Errno;
use nix::fcntl::OFlag;

/// Mode of every directory made here.
const DIR_MODE: u32 = 0o700;
/// Mode of every file made here.
const FILE_MODE: u32 = 0o600;
/// No file of ours is larger, in bytes; anything else under such a name is none.
const SIZE_MAX: u64 = 1 << 20;

/// Makes the directory, and those above it, where they are missing: mode 0700. One that is there stays as it is, since
/// the path may be the operator's choice.
///
/// # Errors
/// Those of making it; also when something else has its name.
pub fn ensure_dir(dir: &Path) -> io::Result<()> {
    let make = || DirBuilder::new().mode(DIR_MODE).create(dir);
    let made = match (make(), dir.parent()) {
        (Err(e), Some(parent)) if e.kind() == io::ErrorKind::NotFound => {
            ensure_dir(parent)?;
            make()
        }
        (made, _) => made,
    };
    match made {
        Ok(()) => set_mode(&open(dir, OpenOptions::new().read(true), OFlag::O_DIRECTORY)?, DIR_MODE),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => Ok(()),
        Err(e) => Err(e),
    }
}

/// Writes the file in one step, mode 0600: `draft`, in the same directory, gets `path`'s name when it is complete.
///
/// # Errors
/// Those of writing; the draft is gone then, and what was there before is as it was.
pub fn replace_file(path: &Path, draft: &Path, content: &[u8]) -> io::Result<()> {
    let write = || {
        // One that a killed process left, or that somebody else made.
        match fs::remove_file(draft) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let mut file =
            open(draft, OpenOptions::new().write(true).create_new(true).mode(FILE_MODE), OFlag::empty())?;
        set_mode(&file, FILE_MODE)?;
        file.write_all(content)?;
        fs::rename(draft, path)
    };
    write().inspect_err(|_| drop(fs::remove_file(draft)))
}

/// Removes the file.
///
/// # Errors
/// Code 5 naming it.
pub fn remove_file_if_present(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.doing(format!("cannot remove {}", path.display())),
    }
}

/// Reads a plain file, at most its first MiB; a FIFO cannot make it wait, nor a huge file take the node's memory.
///
/// # Errors
/// Those of opening and reading.
pub fn read_small(path: &Path) -> io::Result<Vec<u8>> {
    let file: File = OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path)?;
    read_start(file)
}

/// The same for a file whose place is ours alone: one that is a symbolic link is not read.
///
/// # Errors
/// As [`read_small`].
pub fn read_own(path: &Path) -> io::Result<Vec<u8>> {
    read_start(open_record(path)?)
}

fn read_start(file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(SIZE_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Opens the file to lock it, after making it where it is missing: mode 0600, also when it had another, since whoever
/// can open a file can hold its lock.
///
/// # Errors
/// Those of opening; also when the name is a symbolic link's.
pub(crate) fn open_lock(path: &Path) -> io::Result<File> {
    let flags = OFlag::O_CREAT | OFlag::O_NONBLOCK;
    let file = open(path, OpenOptions::new().read(true).mode(FILE_MODE), flags)?;
    set_mode(&file, FILE_MODE).map(|()| file)
}

/// Opens a file of ours to read it; a FIFO in its place cannot make us wait.
///
/// # Errors
/// As [`open_lock`].
pub(crate) fn open_record(path: &Path) -> io::Result<File> {
    open(path, OpenOptions::new().read(true), OFlag::O_NONBLOCK)
}

fn open(path: &Path, options: &mut OpenOptions, flags: OFlag) -> io::Result<File> {
    let file = options.custom_flags((flags | OFlag::O_NOFOLLOW).bits()).open(path);
    file.map_err(|e| match e.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ELOOP) => {
            let text = "ELOOP: it is a symbolic link, which is not followed here; remove the link";
            io::Error::new(e.kind(), text)
        }
        _ => e,
    })
}

/// The mode that a umask may have taken bits from, or that an earlier version chose.
fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    if file.metadata()?.mode() & 0o7777 == mode {
        return Ok(());
    }
    file.set_permissions(fs::Permissions::from_mode(mode))
}
