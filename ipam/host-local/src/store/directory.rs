//! One network's directory: everything in it is reached through its descriptor, by a single name.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::IpAddr;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use cni_types::{Doing, Result};
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::Mode;
use nix::unistd::{UnlinkatFlags, linkat, unlinkat};

/// Longest content read from a reservation, in bytes. The longest valid one is 255 + 2 + 15.
const CONTENT_MAX: u64 = 1024;

/// An open directory.
#[derive(Debug)]
pub(crate) struct Directory {
    file: File,
    path: PathBuf,
}

impl Directory {
    /// Opens the directory, after making it (mode 0755) and its parents where they are missing.
    ///
    /// # Errors
    /// Code 5.
    pub(crate) fn ensure(path: &Path) -> Result<Self> {
        if let Some(directory) = Self::find(path)? {
            return Ok(directory);
        }
        DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(path)
            .doing(format!("cannot make the data directory {} (key \"dataDir\")", path.display()))?;
        Self::open(path).doing(format!("cannot open the data directory {}", path.display()))
    }

    /// Opens the directory; `None` when it does not exist.
    ///
    /// # Errors
    /// Code 5.
    pub(crate) fn find(path: &Path) -> Result<Option<Self>> {
        match Self::open(path) {
            Ok(directory) => Ok(Some(directory)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e).doing(format!("cannot open the data directory {}", path.display())),
        }
    }

    fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).custom_flags(OFlag::O_DIRECTORY.bits()).open(path)?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// For messages.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The descriptor, for its times.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Opens one entry, never through a symbolic link and never waiting (a FIFO would).
    pub(crate) fn open_entry(&self, name: &str, flags: OFlag, mode: u16) -> io::Result<File> {
        let flags = flags | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
        Ok(openat(&self.file, name, flags, Mode::from_bits_truncate(mode.into()))?.into())
    }

    /// The start of an entry's content; `None` when there is no such entry.
    pub(crate) fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let mut content = Vec::with_capacity(512);
        match self.read_into(&mut content, name) {
            Ok(()) => Ok(Some(content)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Replaces `content` by the start of an entry's content.
    pub(crate) fn read_into(&self, content: &mut Vec<u8>, name: &str) -> io::Result<()> {
        content.clear();
        let file = self.open_entry(name, OFlag::O_RDONLY, 0)?;
        file.take(CONTENT_MAX).read_to_end(content).map(drop)
    }

    /// Makes a new entry of mode 0600 with this content; one that cannot be filled is removed again.
    pub(crate) fn create(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let mut file = self.open_entry(name, OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL, 0o600)?;
        // The kernel's own file times lag by a clock tick; GC has to tell what was made after it started.
        let written = file.write_all(content).and_then(|()| file.set_modified(SystemTime::now()));
        written.inspect_err(|_| {
            let _ = self.remove_if_present(name);
        })
    }

    /// Writes the whole content of an entry, made with mode 0600 if it is missing. It is overwritten in place, so that
    /// a full disk does not take the old content; a new entry that cannot be filled is removed again.
    pub(crate) fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let file = self.open_entry(name, OFlag::O_WRONLY | OFlag::O_CREAT, 0o600)?;
        let written = file.write_all_at(content, 0).and_then(|()| file.set_len(content.len() as u64));
        written.inspect_err(|_| {
            if file.metadata().is_ok_and(|metadata| metadata.len() == 0) {
                let _ = self.remove_if_present(name);
            }
        })
    }

    /// Makes `name` a second name of `from`; `false` when it exists already.
    pub(crate) fn link(&self, from: &str, name: &str) -> io::Result<bool> {
        match linkat(&self.file, from, &self.file, name, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(Errno::EEXIST) => Ok(false),
            Err(e) => Err(e.into()),
        }
    }

    /// Removes an entry; `false` when there was none.
    pub(crate) fn remove_if_present(&self, name: &str) -> io::Result<bool> {
        match unlinkat(&self.file, name, UnlinkatFlags::NoRemoveDir) {
            Ok(()) => Ok(true),
            Err(Errno::ENOENT) => Ok(false),
            Err(e) => Err(e.into()),
        }
    }

    /// Shows the entries named by an address in its canonical text. They may be removed meanwhile.
    pub(crate) fn for_each_address(&self, mut show: impl FnMut(IpAddr, &str)) -> io::Result<()> {
        // Not through readdir(3) of a 32-bit glibc, which fails with EOVERFLOW at an inode above 2^32.
        for entry in fs::read_dir(format!("/proc/self/fd/{}", self.file.as_raw_fd()))? {
            let name = entry?.file_name();
            let Some(name) = name.to_str() else { continue };
            if let Some(ip) = name.parse::<IpAddr>().ok().filter(|ip| ip.to_string() == name) {
                show(ip, name);
            }
        }
        Ok(())
    }
}
