//! Whose the rules of an address are. The reference's rule text has no room for an owner, and stays as it is so that
//! either suite removes it; the owner is recorded beside it, in `/run/cni/firewall`:
//!
//! ```text
//! <owner>     the attachment's tag, then an address per line     (<owner>: AttachmentId::tag_prefix)
//!             and "zone <name>", if firewalld has them
//! <address>   the owner
//! lock        flock(2): held while rules and records change together
//! ```
//!
//! Two files, so that neither ADD nor DEL has to look at those of other attachments. An address that a dead owner left
//! behind gets the new owner's name; the late DEL of the dead one then finds that it is no longer its own.

use std::net::IpAddr;
use std::time::Duration;

use cni_skel::{FileLock, StateDir};
use cni_types::{AttachmentId, Code, Error, FromText, Result, Stale, parse_ip, sort_and_dedup};

use crate::firewalld::Zone;

/// Where the records are; gone with a reboot, like the rules.
const DIR: &str = "/run/cni/firewall";
/// How long to wait for another command's turn. One turn takes some milliseconds.
const BOUND: Duration = Duration::from_secs(10);
/// What is being written; renamed when complete. One that a killed command left is gone with the next one's turn.
const NEW: &str = "new";

/// The records, locked.
pub(super) struct AddressOwners {
    dir: StateDir,
    _lock: FileLock,
}

impl AddressOwners {
    /// Takes the lock, making the directory if it is not there.
    ///
    /// # Errors
    /// Code 11 naming the holder when the lock is not free in time, code 5 when there is no writing in `/run/cni`.
    pub(super) fn lock() -> Result<Self> {
        let dir = StateDir::new(DIR);
        let lock = dir.lock("lock", BOUND)?;
        dir.remove_if_present(NEW)?;
        Ok(Self { dir, _lock: lock })
    }

    /// As [`Self::lock`]; `None` when nothing was ever recorded.
    ///
    /// # Errors
    /// As [`Self::lock`].
    pub(super) fn lock_if_present() -> Result<Option<Self>> {
        if StateDir::new(DIR).exists() { Self::lock().map(Some) } else { Ok(None) }
    }

    /// The addresses recorded for an owner; empty when there are none.
    ///
    /// # Errors
    /// Code 5 when the record cannot be read.
    pub(super) fn addresses(&self, owner: &str) -> Result<Vec<IpAddr>> {
        let lines = self.read(owner)?.unwrap_or_default();
        Ok(lines.lines().skip(1).filter_map(parse_ip).collect())
    }

    /// The zone firewalld has the owner's addresses in; `None` when it has none of them.
    ///
    /// # Errors
    /// Code 5 when the record cannot be read.
    pub(super) fn zone(&self, owner: &str) -> Result<Option<Zone>> {
        let lines = self.read(owner)?.unwrap_or_default();
        Ok(lines.lines().find_map(|line| Zone::from_text(line.strip_prefix("zone ")?).ok()))
    }

    /// Who has the address; `None` when nobody is recorded.
    ///
    /// # Errors
    /// Code 5 when the record cannot be read.
    pub(super) fn owner(&self, ip: IpAddr) -> Result<Option<String>> {
        Ok(self.read(&ip.to_string())?.map(|owner| owner.trim_end().to_owned()))
    }

    /// Makes the attachment the owner of these addresses, in addition to those it has, with firewalld in this zone.
    ///
    /// # Errors
    /// Code 5 when a record cannot be written.
    pub(super) fn take(&self, id: &AttachmentId, ips: &[IpAddr], zone: Option<&Zone>) -> Result<()> {
        let owner = id.tag_prefix();
        let mut all = self.addresses(&owner)?;
        all.extend(ips);
        sort_and_dedup(&mut all);
        let zone = zone.cloned().map_or_else(|| self.zone(&owner), |zone| Ok(Some(zone)))?;
        self.write_owner(&id.tag(), &all, zone.as_ref())?;
        ips.iter().try_for_each(|ip| self.write(&ip.to_string(), &format!("{owner}\n")))
    }

    /// Takes these addresses from the owner, and forgets it with its last one.
    ///
    /// # Errors
    /// Code 5 when a record cannot be removed.
    pub(super) fn forget(&self, owner: &str, ips: &[IpAddr]) -> Result<()> {
        for &ip in ips {
            if self.owner(ip)?.is_some_and(|found| found == owner) {
                self.dir.remove_if_present(&ip.to_string())?;
            }
        }
        let Some(lines) = self.read(owner)? else { return Ok(()) };
        let mut rest = self.addresses(owner)?;
        rest.retain(|ip| !ips.contains(ip));
        if rest.is_empty() {
            return self.dir.remove_if_present(owner);
        }
        self.write_owner(lines.lines().next().unwrap_or_default(), &rest, self.zone(owner)?.as_ref())
    }

    /// Those of `owners` that are on record.
    ///
    /// # Errors
    /// Code 5 when the directory cannot be listed.
    pub(super) fn stale(&self, owners: &Stale<'_>) -> Result<Vec<String>> {
        let mut names = self.dir.names()?;
        names.retain(|name| owners.includes(name));
        Ok(names)
    }

    fn read(&self, name: &str) -> Result<Option<String>> {
        let Some(bytes) = self.dir.read(name)? else { return Ok(None) };
        let doing = || format!("cannot read the record {}", self.dir.path(name).display());
        String::from_utf8(bytes).map(Some).map_err(|_| Error::new(Code::IO, doing()).because("it is no text"))
    }

    fn write_owner(&self, tag: &str, ips: &[IpAddr], zone: Option<&Zone>) -> Result<()> {
        let mut lines: String = ips.iter().map(|ip| format!("{ip}\n")).collect();
        lines.extend(zone.map(|zone| format!("zone {}\n", zone.as_str())));
        let owner = tag.split(", net: ").next().unwrap_or_default();
        self.write(owner, &format!("{tag}\n{lines}"))
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        self.dir.write(name, NEW, text.as_bytes())
    }
}

/// Whether records can be made, for STATUS; makes none.
///
/// # Errors
/// Code 5 naming the directory that cannot be written to.
pub(super) fn status() -> Result<()> {
    StateDir::new(DIR).probe()
}

/// Whether the owner is on record.
pub(super) fn has(owner: &str) -> bool {
    StateDir::new(DIR).has(owner)
}
