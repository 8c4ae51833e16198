//! Reading the files themselves: where there is no index to believe, for GC, and to confirm what the index says.

use std::net::IpAddr;
use std::time::{Instant, SystemTime};

use cni_types::{Doing, Failures, Result};
use nix::fcntl::OFlag;

use super::directory::Directory;
use super::index::Index;
use super::reservation::Owner;
use super::{NEW, Store};

/// So many files that cannot be removed are named: on a read-only disk there may be thousands.
const REPORTED: usize = 16;

/// When GC began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Started {
    date: SystemTime,
    at: Instant,
}

impl Started {
    pub(crate) fn now() -> Self {
        Self { date: SystemTime::now(), at: Instant::now() }
    }

    /// The dates that files have which were made between then and now. A later one is from before somebody set the
    /// clock back, and says nothing. The clock may be set while GC waits, too.
    fn until_now(self) -> (SystemTime, SystemTime) {
        (self.date, SystemTime::now().max(self.date + self.at.elapsed()))
    }
}

impl Store {
    /// Reads all files, and removes the garbage among them.
    ///
    /// # Errors
    /// Code 5 when the directory cannot be listed.
    pub(crate) fn refresh(&mut self) -> Result<()> {
        // Garbage that cannot be removed stays what it was: an address that nobody can have.
        self.scan(|_, _, _| true).map(drop)
    }

    /// Whether [`Store::refresh`] may find what the index does not know.
    pub(crate) fn may_be_stale(&self) -> bool {
        !self.fresh
    }

    /// Removes the reservations whose owner `valid` does not know. One made since `started` stays: it is younger than
    /// the list that `valid` goes by.
    ///
    /// # Errors
    /// Code 5: what could not be removed, after everything else was.
    pub(crate) fn collect(&mut self, started: Started, valid: impl Fn(&Owner) -> bool) -> Result<()> {
        // Under the lock nobody makes one.
        let (since, now) = started.until_now();
        let younger = |directory: &Directory, ip: IpAddr| {
            let file = directory.open_entry(&ip.to_string(), OFlag::O_RDONLY, 0);
            let made = file.and_then(|file| file.metadata()?.modified());
            made.is_ok_and(|made| made > since && made <= now)
        };
        let failures = self.scan(|directory, ip, owner| valid(owner) || younger(directory, ip))?;
        failures.fold()
    }

    /// Reads all files into the index. Garbage is removed, and so is what `keep` refuses; the first failures to do
    /// so are returned. Under the lock nobody is about to fill an empty file.
    fn scan(&mut self, mut keep: impl FnMut(&Directory, IpAddr, &Owner) -> bool) -> Result<Failures> {
        self.index = None;
        let directory = &self.directory;
        let mut failures = Failures::new();
        let mut remove = |name: &str| {
            let removed = directory.remove_if_present(name).doing(self.doing("cannot remove", name));
            if failures.len() < REPORTED {
                failures.note(removed);
            }
        };
        remove(NEW);
        // One buffer for all: musl's allocator may ask the kernel for each anew.
        let mut content = Vec::with_capacity(512);
        let mut index = Some(Index::default());
        let listed = directory.for_each_address(|ip, name| {
            // What cannot be read (a directory, an I/O error) has no owner we know of, and is not free either.
            if directory.read_into(&mut content, name).is_err() {
                return;
            }
            match Owner::parse(&content) {
                Some(owner) if keep(directory, ip, &owner) => {
                    // An index that cannot be written is given up; the files know all.
                    if index.as_mut().is_some_and(|all| all.insert(directory, (owner.hash(), ip)).is_err()) {
                        index = None;
                    }
                }
                _ => remove(name),
            }
        });
        listed.doing(self.doing("cannot list", ""))?;
        self.index = index;
        self.fresh = true;
        Ok(failures)
    }

    /// Sums up all reserved addresses by `note`.
    ///
    /// # Errors
    /// Code 5 when the directory cannot be listed.
    pub(crate) fn reserved<T: Default>(&mut self, note: impl Fn(&mut T, IpAddr)) -> Result<T> {
        let mut sum = T::default();
        if let Some(index) = &self.index {
            if index.for_each(|(_, ip)| note(&mut sum, ip)).is_ok() {
                return Ok(sum);
            }
            sum = T::default();
        }
        self.scan(|_, ip, _| {
            note(&mut sum, ip);
            true
        })?;
        Ok(sum)
    }

    /// The addresses `owner` holds, every one confirmed by its file.
    ///
    /// # Errors
    /// Code 5 when the directory cannot be listed.
    pub(crate) fn owned(&mut self, owner: &Owner) -> Result<Vec<IpAddr>> {
        if let Some(Ok(hinted)) = self.index.as_ref().map(|index| index.owned(owner.hash())) {
            let confirmed: Vec<_> = hinted.iter().copied().filter(|ip| self.is_owner(*ip, owner)).collect();
            if confirmed.len() == hinted.len() || self.fresh {
                return Ok(confirmed);
            }
        }
        let mut held = Vec::new();
        self.scan(|_, ip, found| {
            held.extend((found == owner).then_some(ip));
            true
        })?;
        Ok(held)
    }

    fn is_owner(&self, ip: IpAddr, owner: &Owner) -> bool {
        self.owner(ip).is_some_and(|found| found == *owner)
    }
}
