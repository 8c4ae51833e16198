//! A directory of small files in which a plugin remembers something until DEL.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cni_types::{Doing, Error, Result};
use nix::fcntl::OFlag;

use crate::lock::FileLock;
use crate::state;

/// The directory; it need not be there. What its files are called and what is in them is its plugin's choice.
#[derive(Debug, Clone)]
pub struct StateDir(PathBuf);

impl StateDir {
    /// The one at this path.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self(dir.into())
    }

    /// Where the file of this name is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Whether there is a file of this name.
    pub fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// Whether the directory is there.
    pub fn exists(&self) -> bool {
        self.0.exists()
    }

    /// What the file of this name holds, at most its first MiB; `None` without one.
    ///
    /// # Errors
    /// Code 5 when it cannot be read, or is a symbolic link.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let path = self.path(name);
        match state::read_own(&path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            bytes => bytes.map(Some).doing(format!("cannot read the record {}", path.display())),
        }
    }

    /// Writes the file in place of any before: all of it, or nothing. Until it is complete its name is `draft`. The
    /// directory (mode 0700) is made where it is missing.
    ///
    /// # Errors
    /// Code 5 naming the file.
    pub fn write(&self, name: &str, draft: &str, content: &[u8]) -> Result<()> {
        let path = self.path(name);
        state::ensure_dir(&self.0)
            .and_then(|()| state::replace_file(&path, &self.path(draft), content))
            .doing(format!("cannot write the record {}", path.display()))
    }

    /// Gives the file another name, in place of one that has it. One that is gone meanwhile stays so.
    ///
    /// # Errors
    /// Code 5 naming the file.
    pub fn rename_if_present(&self, name: &str, to: &str) -> Result<()> {
        let path = self.path(name);
        match fs::rename(&path, self.path(to)) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            renamed => renamed.doing(format!("cannot rename the record {}", path.display())),
        }
    }

    /// Removes the file of this name.
    ///
    /// # Errors
    /// Code 5 naming it.
    pub fn remove_if_present(&self, name: &str) -> Result<()> {
        state::remove_file_if_present(&self.path(name))
    }

    /// The names of all files; none where the directory is missing.
    ///
    /// # Errors
    /// Code 5 when the directory cannot be listed.
    pub fn names(&self) -> Result<Vec<String>> {
        let doing = || format!("cannot list the records in {}", self.0.display());
        let entries = match fs::read_dir(&self.0) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.doing(doing())?,
        };
        let names = entries.map(|entry| Ok(entry.doing(doing())?.file_name().to_string_lossy().into_owned()));
        names.collect()
    }

    /// Takes the lock on the file of this name, which is made where it is missing, and the directory too.
    ///
    /// # Errors
    /// As [`FileLock::open`]; code 5 also when the directory cannot be made.
    pub fn lock(&self, name: &str, bound: Duration) -> Result<FileLock> {
        state::ensure_dir(&self.0).doing(format!("cannot make {}", self.0.display()))?;
        FileLock::open(&self.path(name), bound)
    }

    /// Whether a file could be written: the directory, or the nearest one above it that is there, is writable. Makes
    /// none.
    ///
    /// # Errors
    /// Code 5 naming the directory.
    pub fn probe(&self) -> Result<()> {
        let there =
            self.0.ancestors().find(|dir| dir.symlink_metadata().is_ok()).unwrap_or_else(|| Path::new("/"));
        let doing = || format!("cannot write records to {}", self.0.display());
        if !there.is_dir() {
            return Err(Error::io(doing(), &io::Error::from(io::ErrorKind::NotADirectory))
                .because(format!("{} is no directory", there.display())));
        }
        let unnamed =
            OpenOptions::new().write(true).custom_flags(OFlag::O_TMPFILE.bits()).mode(0o600).open(there);
        match unnamed {
            // A file system without unnamed files says so, and is writable.
            Err(e) if e.kind() != io::ErrorKind::Unsupported => Err(Error::io(doing(), &e)),
            _ => Ok(()),
        }
    }
}
