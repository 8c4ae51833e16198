//! The reservations of one network: one file per address, in the reference's format, under the reference's lock.
//!
//! A reservation is born complete: written under a temporary name, then given its address by `link(2)`, which fails if
//! the address is taken. So each address is either free or owned at every moment, whatever dies in between.

mod directory;
mod index;
mod lock;
mod reservation;
mod scan;

use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use cni_types::{Doing, Error, Result};
use nix::fcntl::OFlag;

use directory::Directory;
use index::Index;
use lock::Lock;
pub(crate) use reservation::Owner;
pub(crate) use scan::Started;

/// Where a reservation is written before it gets its name. One is enough, under the lock.
const NEW: &str = ".host-local.new";
/// How often a directory that is removed while we wait for its lock is opened again.
const ATTEMPTS: usize = 8;

/// The open store. It holds the lock; the index for the next process is written when it is dropped.
pub(crate) struct Store {
    directory: Directory,
    // `None`: not known yet, or it cannot be written; then the files are asked.
    index: Option<Index>,
    // Whether this process read all files itself, so that reading them again would tell nothing new.
    fresh: bool,
    // The last field, since fields are dropped in order.
    _lock: Lock,
}

impl Store {
    /// Opens the store, making its directory.
    ///
    /// # Errors
    /// Code 5; code 11 when the lock stays held.
    pub(crate) fn ensure(path: &Path) -> Result<Self> {
        for _ in 0..ATTEMPTS {
            if let Some(store) = Self::open(Directory::ensure(path)?)? {
                return Ok(store);
            }
        }
        Err(removed(path))
    }

    /// Opens the store if its directory exists.
    ///
    /// # Errors
    /// Code 5; code 11 when the lock stays held.
    pub(crate) fn find(path: &Path) -> Result<Option<Self>> {
        for _ in 0..ATTEMPTS {
            let Some(directory) = Directory::find(path)? else { return Ok(None) };
            if let Some(store) = Self::open(directory)? {
                return Ok(Some(store));
            }
        }
        Err(removed(path))
    }

    /// `None` when the directory or its lock was removed while we waited.
    fn open(directory: Directory) -> Result<Option<Self>> {
        let Some(lock) = Lock::acquire(&directory)? else { return Ok(None) };
        let index = Index::find(&directory);
        Ok(Some(Self { directory, index, fresh: false, _lock: lock }))
    }

    /// Who holds `ip`, from its file; `None` when nobody does.
    pub(crate) fn owner(&self, ip: IpAddr) -> Option<Owner> {
        let content = self.directory.read(&ip.to_string()).ok()??;
        Owner::parse(&content)
    }

    /// How long ago the reservation of `ip` was written, by the clock as it is now.
    pub(crate) fn age(&self, ip: IpAddr) -> Option<Duration> {
        let file = self.directory.open_entry(&ip.to_string(), OFlag::O_RDONLY, 0).ok()?;
        file.metadata().ok()?.modified().ok()?.elapsed().ok()
    }

    /// The directory, for messages.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The file of a reservation, for messages.
    pub(crate) fn path_of(&self, ip: IpAddr) -> String {
        self.path().join(ip.to_string()).display().to_string()
    }

    /// How many addresses are reserved, of all ranges; `None` when nobody has counted them.
    pub(crate) fn len(&self) -> Option<usize> {
        self.index.as_ref().map(Index::len)
    }

    /// Reserves the first of `candidates` that is free.
    ///
    /// # Errors
    /// Code 5 when the file cannot be written; then there is none.
    pub(crate) fn reserve_first(
        &mut self,
        owner: &Owner,
        mut candidates: impl Iterator<Item = IpAddr>,
    ) -> Result<Option<IpAddr>> {
        let doing = |name: &str| self.doing("cannot write the reservation", name);
        self.directory.remove_if_present(NEW).doing(doing(NEW))?;
        self.directory.create(NEW, owner.as_bytes()).doing(doing(NEW))?;
        let taken = candidates.find_map(|ip| {
            let name = ip.to_string();
            match self.directory.link(NEW, &name) {
                Ok(true) => Some(Ok(ip)),
                Ok(false) => None,
                Err(e) => Some(Err(e).doing(doing(&name))),
            }
        });
        let cleared = self.remove_new();
        let taken = taken.transpose()?;
        if let Some(ip) = taken {
            self.note(|index, directory| index.insert(directory, (owner.hash(), ip)));
        }
        if let Err(error) = cleared {
            if let Some(ip) = taken {
                self.release(ip, owner)?;
            }
            return Err(error);
        }
        Ok(taken)
    }

    /// Frees `ip`, which `owner` holds.
    ///
    /// # Errors
    /// Code 5 when the file cannot be removed.
    pub(crate) fn release(&mut self, ip: IpAddr, owner: &Owner) -> Result<()> {
        let name = ip.to_string();
        self.directory.remove_if_present(&name).doing(self.doing("cannot remove the reservation", &name))?;
        self.note(|index, _| index.remove((owner.hash(), ip)));
        Ok(())
    }

    /// Changes the index. One that cannot be written is given up; the files know all.
    fn note(&mut self, change: impl FnOnce(&mut Index, &Directory) -> io::Result<()>) {
        if self.index.as_mut().is_some_and(|index| change(index, &self.directory).is_err()) {
            self.index = None;
        }
    }

    /// The address most recently given out of range set `set`. Garbage is none.
    pub(crate) fn last_reserved(&self, set: usize) -> Option<IpAddr> {
        let content = self.directory.read(&pointer(set)).ok()??;
        std::str::from_utf8(&content).ok().and_then(cni_types::parse_ip)
    }

    /// Notes the address most recently given out of range set `set`.
    ///
    /// # Errors
    /// Code 5.
    pub(crate) fn set_last_reserved(&self, set: usize, ip: IpAddr) -> Result<()> {
        let name = pointer(set);
        let doing = || self.doing("cannot write", &name);
        self.directory.write(&name, ip.to_string().as_bytes()).doing(doing())
    }

    /// Writes and removes a reservation without a name: what an ADD would need of the disk.
    ///
    /// # Errors
    /// Code 5.
    pub(crate) fn probe(&mut self) -> Result<()> {
        let doing = || self.doing("cannot write", NEW);
        self.directory.remove_if_present(NEW).doing(doing())?;
        self.directory.create(NEW, b"probe").doing(doing())?;
        self.remove_new()
    }

    /// Removes the temporary file. If that fails, the index goes too: then the next process looks through the files,
    /// and tries again.
    fn remove_new(&mut self) -> Result<()> {
        let removed = self.directory.remove_if_present(NEW).doing(self.doing("cannot remove", NEW));
        if removed.is_err() {
            self.index = None;
        }
        removed.map(drop)
    }

    fn doing(&self, what: &str, name: &str) -> String {
        format!("{what} {}", self.directory.path().join(name).display())
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // Without an index the next process reads the files, so nothing is wrong if this fails.
        let sealed = self.index.as_mut().is_some_and(|index| index.seal(&self.directory).is_ok());
        if !sealed {
            let _ = self.directory.remove_if_present(index::NAME);
        }
    }
}

fn removed(path: &Path) -> Error {
    Error::try_again(format!("cannot lock {}", path.display()))
        .because("somebody keeps removing the directory or the lock; try again later")
}

fn pointer(set: usize) -> String {
    format!("last_reserved_ip.{set}")
}
