//! The lock of one network's directory, shared with the reference: `flock(2)` on the file `lock`.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use cni_types::{Doing, Error, Result};
use nix::errno::Errno;
use nix::fcntl::{FlockArg, OFlag};
use nix::sys::stat::{major, minor};

use super::directory::Directory;

/// Name of the lock file.
const NAME: &str = "lock";
/// How long to wait for another holder. One operation takes about a millisecond, with the reference at work in a
/// directory of 60 000 addresses about half a second.
const BOUND: Duration = Duration::from_secs(5);

/// The lock, held until dropped.
pub(crate) struct Lock {
    // Closing the file gives the lock back.
    _held: File,
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
        let file = match directory.open_entry(NAME, OFlag::O_RDONLY | OFlag::O_CREAT, 0o750) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.doing(doing())?,
        };
        let held = match flock(&file, FlockArg::LockExclusiveNonblock) {
            Ok(()) => file,
            Err(Errno::EWOULDBLOCK) => wait(file, BOUND).doing(doing())?,
            Err(errno) => return Err(io::Error::from(errno)).doing(doing()),
        };
        let has_name = held.metadata().doing(doing())?.nlink() > 0;
        Ok(has_name.then_some(Self { _held: held }))
    }
}

/// `nix`'s lock guard panics when it cannot unlock, in the middle of an operation that has succeeded.
#[allow(deprecated, reason = "the guard that replaces it panics")]
fn flock(file: &File, arg: FlockArg) -> nix::Result<()> {
    nix::fcntl::flock(file.as_raw_fd(), arg)
}

/// Waits in line. The kernel has no bounded `flock`, so a thread waits for it; past the bound it stays behind, and what
/// it may still get is given back at once.
fn wait(file: File, bound: Duration) -> Result<File> {
    let metadata = file.metadata().doing("cannot look at it")?;
    let (sender, receiver) = mpsc::sync_channel(0);
    let waiter = move || {
        let outcome = loop {
            match flock(&file, FlockArg::LockExclusive) {
                Err(Errno::EINTR) => {}
                Err(errno) => break Err(errno),
                Ok(()) => break Ok(file),
            }
        };
        // Nobody receives past the bound; then the file comes back in the error and is closed here.
        drop(sender.send(outcome));
    };
    thread::Builder::new().stack_size(64 << 10).spawn(waiter).doing("cannot start a thread to wait")?;
    match receiver.recv_timeout(bound) {
        Ok(outcome) => outcome.map_err(io::Error::from).doing("flock failed"),
        Err(_) => Err(Error::try_again(format!("still held after {} s", bound.as_secs()))
            .because(format!("held by {}; try again later", holder(metadata.dev(), metadata.ino())))),
    }
}

/// Who holds a lock on the file, from `/proc/locks` (proc_locks(5)).
fn holder(dev: u64, ino: u64) -> String {
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    let Some(pid) = find_holder(&locks, major(dev), minor(dev), ino) else {
        return "a process that /proc/locks does not show".to_owned();
    };
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    format!("pid {pid} ({})", name.trim())
}

/// The pid in a line such as `1: FLOCK  ADVISORY  WRITE 708 fd:01:131 0 EOF`; lines with `->` are waiters.
fn find_holder(locks: &str, major: u64, minor: u64, ino: u64) -> Option<u32> {
    let device = format!("{major:02x}:{minor:02x}:{ino}");
    locks.lines().find_map(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        match words[..] {
            [_, "FLOCK", _, _, pid, file, ..] if file == device => pid.parse().ok(),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_is_the_line_that_does_not_wait() {
        let locks = "1: POSIX  ADVISORY  WRITE 7 fe:00:131 0 EOF\n\
                     2: -> FLOCK  ADVISORY  WRITE 8 fe:00:131 0 EOF\n\
                     3: FLOCK  ADVISORY  WRITE 9 fe:00:132 0 EOF\n\
                     4: FLOCK  ADVISORY  WRITE 10 fe:00:131 0 EOF\n";
        assert_eq!(find_holder(locks, 0xfe, 0, 131), Some(10));
        assert_eq!(find_holder(locks, 0xfe, 1, 131), None);
        assert_eq!(find_holder("garbage\n\n", 0xfe, 0, 131), None);
    }
}
