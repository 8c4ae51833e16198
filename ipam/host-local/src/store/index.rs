//! Who owns what, so that nobody has to read every reservation. Only ever a hint: the files decide.
//!
//! In memory it is a list. From [`KEEP_FROM`] reservations on it is kept in the directory as a hash table
//! ([`table`]), of which an operation reads and writes one place.

mod table;

use std::io;
use std::net::IpAddr;

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

    /// All reserved addresses, sorted.
    pub(super) fn addresses(&self) -> io::Result<Vec<IpAddr>> {
        let mut all: Vec<_> = match self {
            Self::Listed(all) => all.iter().map(|(_, ip)| *ip).collect(),
            Self::Kept(table) => table.entries()?.into_iter().map(|(_, ip)| ip).collect(),
        };
        all.sort_unstable();
        Ok(all)
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
