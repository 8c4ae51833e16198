//! Reading the files themselves: where there is no index to believe, for GC, and to confirm what the index says.

use std::net::IpAddr;
use std::time::SystemTime;

use cni_types::{Doing, Error, Result};
use nix::fcntl::OFlag;

use super::directory::Directory;
use super::index::Index;
use super::reservation::Owner;
use super::{NEW, Store};

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

    /// Removes the reservations whose owner `valid` does not know. One made after `since` stays: it is younger than the
    /// list that `valid` goes by.
    ///
    /// # Errors
    /// Code 5: what could not be removed, after everything else was.
    pub(crate) fn collect(&mut self, since: SystemTime, valid: impl Fn(&Owner) -> bool) -> Result<()> {
        let younger = |directory: &Directory, name: &str| {
            let file = directory.open_entry(name, OFlag::O_RDONLY, 0);
            file.and_then(|file| file.metadata()?.modified()).is_ok_and(|modified| modified > since)
        };
        let failures = self.scan(|directory, name, owner| valid(owner) || younger(directory, name))?;
        Error::all(failures)
    }

    /// Reads all files into the index. Garbage is removed, and so is what `keep` refuses; failures to do so are
    /// returned. Under the lock nobody is about to fill an empty file.
    fn scan(&mut self, keep: impl Fn(&Directory, &str, &Owner) -> bool) -> Result<Vec<Error>> {
        let addresses = self.directory.addresses().doing(self.doing("cannot list", ""))?;
        let mut failures = Vec::new();
        let mut remove = |name: &str| {
            let removed = self.directory.remove_if_present(name).doing(self.doing("cannot remove", name));
            failures.extend(removed.err());
        };
        remove(NEW);
        let mut all = Vec::with_capacity(addresses.len());
        for ip in addresses {
            let name = ip.to_string();
            // What cannot be read (a directory, an I/O error) has no owner we know of, and is not free either.
            let Ok(Some(content)) = self.directory.read(&name) else { continue };
            match Owner::parse(&content) {
                Some(owner) if keep(&self.directory, &name, &owner) => all.push((owner.hash(), ip)),
                _ => remove(&name),
            }
        }
        self.index = Index::Listed(all);
        self.fresh = true;
        Ok(failures)
    }

    /// The addresses `owner` holds, every one confirmed by its file.
    ///
    /// # Errors
    /// Code 5 when the directory cannot be listed.
    pub(crate) fn owned(&mut self, owner: &Owner) -> Result<Vec<IpAddr>> {
        if let Ok(hinted) = self.index.owned(owner.hash()) {
            let confirmed: Vec<_> = hinted.iter().copied().filter(|ip| self.is_owner(*ip, owner)).collect();
            if confirmed.len() == hinted.len() || self.fresh {
                return Ok(confirmed);
            }
        }
        self.refresh()?;
        let hinted = self.index.owned(owner.hash()).unwrap_or_default();
        Ok(hinted.into_iter().filter(|ip| self.is_owner(*ip, owner)).collect())
    }

    fn is_owner(&self, ip: IpAddr, owner: &Owner) -> bool {
        self.owner(ip).is_some_and(|found| found == *owner)
    }
}
