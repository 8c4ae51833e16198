//! Network namespaces by path. Netlink never switches namespaces (a socket stays in the one it was born in); `setns`
//! is left for opening that socket and for sysctls, whose files follow the thread. It is a thread of its own that
//! enters, and it ends there: a way back could fail, and the process would go on in the wrong namespace.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;

use cni_types::{Code, Error, Result};
use nix::errno::Errno;
use nix::sched::{CloneFlags, setns};
use nix::sys::statfs::{FsType, fstatfs};

/// Magic number of namespace files (`NSFS_MAGIC`, `linux/magic.h`).
const NSFS_MAGIC: FsType = FsType(0x6e73_6673);
/// Bytes of stack for what is done in a namespace: system calls and short texts.
const STACK: usize = 256 << 10;

/// An open network namespace: it stays alive as long as this does.
#[derive(Debug)]
pub struct Netns {
    file: File,
    path: PathBuf,
}

/// Why a path is not a usable namespace.
enum Unusable {
    Missing,
    NotANamespace,
    Io(io::Error),
}

impl Netns {
    /// Opens the namespace of an ADD or CHECK.
    ///
    /// # Errors
    /// Code 8: the path does not exist, is not a network namespace (a plain file, a FIFO, a namespace of another
    /// kind), or cannot be opened.
    pub fn open(path: &Path) -> Result<Self> {
        Self::try_open(path).map_err(|unfit| {
            let error = |what| {
                Error::new(Code::NETNS, format!("cannot open network namespace {}: {what}", path.display()))
            };
            match unfit {
                Unusable::Missing => error("it does not exist"),
                Unusable::NotANamespace => error("the file is not a network namespace"),
                Unusable::Io(e) => unusable("open", path, &e),
            }
        })
    }

    /// Opens the namespace of a DEL. Without a path, or when nothing but a leftover file is there, the namespace is
    /// gone, and everything in it: `None`.
    ///
    /// # Errors
    /// Code 8 when the namespace is there but cannot be opened.
    pub fn find(path: Option<&Path>) -> Result<Option<Self>> {
        let Some(path) = path else { return Ok(None) };
        match Self::try_open(path) {
            Ok(netns) => Ok(Some(netns)),
            Err(Unusable::Missing | Unusable::NotANamespace) => Ok(None),
            Err(Unusable::Io(e)) => Err(unusable("open", path, &e)),
        }
    }

    fn try_open(path: &Path) -> std::result::Result<Self, Unusable> {
        let _opening = cni_trace::phase("namespace");
        // Non-blocking: opening a FIFO for reading would otherwise wait for a writer.
        let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path).map_err(|e| {
            match e.raw_os_error() {
                Some(libc::ENOENT | libc::ENOTDIR) => Unusable::Missing,
                Some(libc::ENXIO) => Unusable::NotANamespace,
                _ => Unusable::Io(e),
            }
        })?;
        let kind = fstatfs(&file).map_err(|e| Unusable::Io(e.into()))?;
        if kind.filesystem_type() != NSFS_MAGIC {
            return Err(Unusable::NotANamespace);
        }
        // SAFETY: NS_GET_NSTYPE takes no argument and only returns the namespace's CLONE_* flag.
        let kind = Errno::result(unsafe { libc::ioctl(file.as_raw_fd(), libc::NS_GET_NSTYPE) });
        match kind {
            Ok(libc::CLONE_NEWNET) | Err(Errno::ENOTTY | Errno::ENOSYS) => {
                // A kernel before 4.11, or an emulated one, does not tell; entering one of another kind fails.
                Ok(Self { file, path: path.to_owned() })
            }
            Ok(_) => Err(Unusable::NotANamespace),
            Err(errno) => Err(Unusable::Io(errno.into())),
        }
    }

    /// The path it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Device and inode number: no other namespace has the same two while this one is open, whatever its path.
    ///
    /// # Errors
    /// Code 8 when the kernel does not say.
    pub fn identity(&self) -> Result<(u64, u64)> {
        let file = self.file.metadata().map_err(|e| unusable("look at", &self.path, &e))?;
        Ok((file.dev(), file.ino()))
    }

    /// The descriptor, for `IFLA_NET_NS_FD`.
    pub(crate) fn fd(&self) -> u32 {
        // An open descriptor is never negative.
        u32::try_from(self.file.as_raw_fd()).unwrap_or(u32::MAX)
    }

    /// Runs `act` inside the namespace, on a thread that ends there, and waits for it. A panic of `act` goes on here.
    ///
    /// # Errors
    /// Code 8 when the namespace cannot be entered, or there is no thread to be had.
    pub fn enter<T: Send>(&self, act: impl FnOnce() -> T + Send) -> Result<T> {
        elsewhere(|| setns(&self.file, CloneFlags::CLONE_NEWNET), act)
            .map_err(|e| unusable("enter", &self.path, &e))
    }
}

/// Runs `act` on a thread that `go` has taken to another namespace. The thread does not come back.
///
/// # Errors
/// That of `go`, or of starting the thread.
pub(crate) fn elsewhere<T: Send>(
    go: impl FnOnce() -> nix::Result<()> + Send,
    act: impl FnOnce() -> T + Send,
) -> io::Result<T> {
    let _there = cni_trace::phase("namespace");
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK);
        let thread = thread.spawn_scoped(scope, || go().map(|()| act()))?;
        Ok(thread.join().unwrap_or_else(|panic| resume_unwind(panic))?)
    })
}

fn unusable(verb: &str, path: &Path, cause: &io::Error) -> Error {
    Error {
        code: Code::NETNS,
        ..Error::io(format!("cannot {verb} network namespace {}", path.display()), cause)
    }
}
