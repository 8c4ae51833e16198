//! Who owns what, so that nobody has to read every reservation. Only ever a hint: the files decide.
//!
//! In memory it is a list. From [`KEEP_FROM`] reservations on it is kept in the directory as a hash table
//! ([`table`]), of which an operation reads and writes one place.

mod table;

use std::io;
use std::net::{IpAddr, Ipv6Addr};

use super::directory::Directory;
use table::Table;

/// Name of the table's file. The reference reads it on its scans, as it reads every file, and sees no owner in it.
pub(super) const NAME: &str = ".host-local.index";
/// Fewer reservations than this are read faster than a table is made.
const KEEP_FROM: usize = 32;

/// One reservation: the hash of its owner, and its address.
pub(super) type Entry = (u64, IpAddr);

/// The reservations of one directory.
pub(super) enum Index {
    /// All of them, read from the files by this process.
    Listed(Vec<Entry>),
    /// Those in the table, which nobody has written past since it was last sealed.
    Kept(Table),
}

impl Index {
    /// The kept table, if the directory is as it was when the table was sealed.
    pub(super) fn find(directory: &Directory) -> Option<Self> {
        Table::find(directory).map(Self::Kept)
    }

    /// The addresses whose owner may be the one with this hash.
    pub(super) fn owned(&self, hash: u64) -> io::Result<Vec<IpAddr>> {
        match self {
            Self::Listed(all) => Ok(all.iter().filter(|(h, _)| *h == hash).map(|(_, ip)| *ip).collect()),
            Self::Kept(table) => table.find_all(hash),
        }
    }

    /// Notes a new reservation. A table that is too full becomes a list.
    pub(super) fn insert(&mut self, entry: Entry) -> io::Result<()> {
        if let Self::Kept(table) = self {
            if table.has_room() {
                return table.insert(entry);
            }
            *self = Self::Listed(table.entries()?);
        }
        if let Self::Listed(all) = self {
            all.push(entry);
        }
        Ok(())
    }

    /// Forgets a reservation.
    pub(super) fn remove(&mut self, entry: Entry) -> io::Result<()> {
        match self {
            Self::Listed(all) => {
                all.retain(|e| *e != entry);
                Ok(())
            }
            Self::Kept(table) => table.remove(entry),
        }
    }

    /// How many reservations there are.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Listed(all) => all.len(),
            Self::Kept(table) => table.len(),
        }
    }

    /// All reserved addresses.
    pub(super) fn addresses(&self) -> io::Result<Addresses> {
        let mut all = Vec::with_capacity(self.len());
        match self {
            Self::Listed(entries) => all.extend(entries.iter().map(|(_, ip)| key(*ip))),
            Self::Kept(table) => table.for_each(|(_, ip)| all.push(key(ip)))?,
        }
        all.sort_unstable();
        Ok(Addresses(all))
    }

    /// Makes what was noted good for the next process. Has to be the last thing done in the directory.
    pub(super) fn seal(&mut self, directory: &Directory) -> io::Result<()> {
        match self {
            Self::Listed(all) if all.len() >= KEEP_FROM => Table::create(directory, all)?.seal(directory),
            Self::Kept(table) if table.len() >= KEEP_FROM / 2 => table.seal(directory),
            _ => directory.remove_if_present(NAME).map(drop),
        }
    }
}

/// A set of addresses of both families, as sorted numbers: one of 65 000 is made and searched in a few milliseconds.
#[derive(Debug)]
pub(crate) struct Addresses(Vec<u128>);

impl Addresses {
    pub(crate) fn contains(&self, ip: IpAddr) -> bool {
        self.0.binary_search(&key(ip)).is_ok()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = IpAddr> + '_ {
        self.0.iter().map(|key| IpAddr::V6(Ipv6Addr::from(*key)).to_canonical())
    }
}

/// One number space for both families: that of IPv6, with IPv4 mapped into it (RFC 4291, section 2.5.5.2).
fn key(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(ip.to_ipv6_mapped()),
        IpAddr::V6(ip) => u128::from(ip),
    }
}
