//! Locks on files (`flock(2)`), waited for in line and not for ever.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use cni_types::{Doing, Error, Result};
use nix::errno::Errno;
use nix::fcntl::FlockArg;
use nix::sys::stat::{major, minor};

use crate::state;

/// A lock, held until dropped.
#[derive(Debug)]
pub struct FileLock(File);

impl FileLock {
    /// Takes the lock on the file at `path`, which is made where it is missing: mode 0600, whatever the umask is, and
    /// not through a symbolic link.
    ///
    /// # Errors
    /// As [`FileLock::acquire`]; code 5 also when the file cannot be made or opened.
    pub fn open(path: &Path, bound: Duration) -> Result<Self> {
        let file = state::open_lock(path).doing(format!("cannot lock {}", path.display()))?;
        Self::acquire(file, path, bound)
    }

    /// Takes the lock on an open file. First come is first served; `path` is the file's, for messages.
    ///
    /// # Errors
    /// Code 11 when it is still held after `bound`, naming the file and the holder; code 5 when it cannot be locked.
    pub fn acquire(file: File, path: &Path, bound: Duration) -> Result<Self> {
        let doing = || format!("cannot lock {}", path.display());
        match flock(&file, FlockArg::LockExclusiveNonblock) {
            Ok(()) => Ok(Self(file)),
            Err(Errno::EWOULDBLOCK) => {
                let _waiting = cni_trace::phase_of("lock", path.display());
                wait(file, path, bound).doing(doing()).map(Self)
            }
            Err(errno) => Err(io::Error::from(errno)).doing(doing()),
        }
    }

    /// The locked file.
    pub fn file(&self) -> &File {
        &self.0
    }
}

/// `nix`'s lock guard panics when it cannot unlock, in the middle of an operation that has succeeded.
#[allow(deprecated, reason = "the guard that replaces it panics")]
fn flock(file: &File, arg: FlockArg) -> nix::Result<()> {
    nix::fcntl::flock(file.as_raw_fd(), arg)
}

/// Waits in line. The kernel has no bounded `flock`, so a thread waits for it; past the bound it stays behind, and what
/// it may still get is given back at once.
fn wait(file: File, path: &Path, bound: Duration) -> Result<File> {
    let ours = Arc::new((Mutex::new(None), Condvar::new()));
    let theirs = Arc::clone(&ours);
    let waiter = move || {
        let outcome = loop {
            match flock(&file, FlockArg::LockExclusive) {
                Err(Errno::EINTR) => {}
                Err(errno) => break Err(errno),
                Ok(()) => break Ok(file),
            }
        };
        let (place, arrival) = &*theirs;
        *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        arrival.notify_one();
        // Past the bound nobody else has the place: the file is closed with it.
    };
    thread::Builder::new().stack_size(64 << 10).spawn(waiter).doing("cannot start a thread to wait")?;
    let (place, arrival) = &*ours;
    let place = place.lock().unwrap_or_else(PoisonError::into_inner);
    let waited = arrival.wait_timeout_while(place, bound, |outcome| outcome.is_none());
    let outcome = waited.unwrap_or_else(PoisonError::into_inner).0.take();
    match outcome {
        Some(outcome) => outcome.map_err(io::Error::from).doing("flock failed"),
        None => Err(Error::try_again(format!("still held after {} s", bound.as_secs()))
            .because(format!("{}; try again later", holder(path)))),
    }
}

/// Who holds a lock on the file, in words, such as "/run/xtables.lock is held by pid 12 (kube-proxy)"; from
/// `/proc/locks` (proc_locks(5)).
pub fn holder(path: &Path) -> String {
    let pid = fs::metadata(path).ok().and_then(|file| {
        let locks = fs::read_to_string("/proc/locks").ok()?;
        find_holder(&locks, major(file.dev()), minor(file.dev()), file.ino())
    });
    let path = path.display();
    match pid {
        None => format!("{path} is held by a process that /proc/locks does not show"),
        Some(pid) => {
            let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            format!("{path} is held by pid {pid} ({})", name.trim_end())
        }
    }
}

/// The pid in a line such as `1: FLOCK  ADVISORY  WRITE 708 fd:01:131 0 EOF` (device numbers in hex); lines with `->`
/// are waiters, and pid 0 is a process of an outer pid namespace.
fn find_holder(locks: &str, major: u64, minor: u64, inode: u64) -> Option<u32> {
    let file = format!("{major:02x}:{minor:02x}:{inode}");
    locks.lines().find_map(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        match words[..] {
            [_, "FLOCK", _, _, pid, place, ..] if place == file => pid.parse().ok().filter(|&pid| pid != 0),
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
                     3: FLOCK  ADVISORY  WRITE 0 fe:00:132 0 EOF\n\
                     4: FLOCK  ADVISORY  WRITE 10 fe:00:131 0 EOF\n";
        assert_eq!(find_holder(locks, 0xfe, 0, 131), Some(10));
        assert_eq!(find_holder(locks, 0xfe, 0, 132), None, "a process of an outer pid namespace");
        assert_eq!(find_holder(locks, 0xfe, 1, 131), None);
        assert_eq!(find_holder("garbage\n\n", 0xfe, 0, 131), None);
    }
}
