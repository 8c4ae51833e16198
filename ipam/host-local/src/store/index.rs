//! Who owns what, so that nobody has to read every reservation. Only ever a hint: the files decide.
//!
//! From [`KEEP_FROM`] reservations on it is kept in the directory as a hash table ([`table`]), of which an operation
//! reads and writes one place. However many there are, only a few of them are in memory.

mod stamp;
mod table;

use std::io;
use std::mem;
use std::net::IpAddr;

use super::directory::Directory;
use table::Table;
pub(super) use table::{Entry, NAME};

/// Fewer reservations than this are read faster than a table is made.
const KEEP_FROM: usize = 32;
/// So many entries are in memory at most, 256 KiB of them.
const BATCH: usize = 8192;

/// The reservations of one directory: those in the table, and those that are not yet.
#[derive(Default)]
pub(super) struct Index {
    table: Option<Table>,
    recent: Vec<Entry>,
}

impl Index {
    /// The kept table, if the directory is as it was when the table was sealed.
    pub(super) fn find(directory: &Directory) -> Option<Self> {
        Some(Self { table: Some(Table::find(directory)?), recent: Vec::new() })
    }

    /// The addresses whose owner may be the one with this hash.
    pub(super) fn owned(&self, hash: u64) -> io::Result<Vec<IpAddr>> {
        let mut found = self.table.as_ref().map_or(Ok(Vec::new()), |table| table.find_all(hash))?;
        found.extend(self.recent.iter().filter(|(h, _)| *h == hash).map(|(_, ip)| *ip));
        Ok(found)
    }

    /// Notes a new reservation.
    ///
    /// # Errors
    /// What kept it from being written; then the index is of no more use.
    pub(super) fn insert(&mut self, directory: &Directory, entry: Entry) -> io::Result<()> {
        self.recent.push(entry);
        if self.recent.len() < BATCH { Ok(()) } else { self.flush(directory).map(drop) }
    }

    /// Forgets a reservation.
    ///
    /// # Errors
    /// What kept it from being written; then the index is of no more use.
    pub(super) fn remove(&mut self, entry: Entry) -> io::Result<()> {
        self.recent.retain(|e| *e != entry);
        self.table.as_mut().map_or(Ok(()), |table| table.remove(entry))
    }

    /// How many reservations there are.
    pub(super) fn len(&self) -> usize {
        self.table.as_ref().map_or(0, Table::len) + self.recent.len()
    }

    /// Shows every reservation, in no order.
    pub(super) fn for_each(&self, mut show: impl FnMut(Entry)) -> io::Result<()> {
        for part in self.table.iter().flat_map(Table::parts) {
            part?.into_iter().for_each(&mut show);
        }
        self.recent.iter().copied().for_each(show);
        Ok(())
    }

    /// Makes what was noted good for the next process. Has to be the last thing done in the directory.
    pub(super) fn seal(&mut self, directory: &Directory) -> io::Result<()> {
        let enough = if self.table.is_some() { KEEP_FROM / 2 } else { KEEP_FROM };
        if self.len() < enough {
            return directory.remove_if_present(NAME).map(drop);
        }
        self.flush(directory)?.seal(directory)
    }

    /// Puts all into the table, into a new one if it has no room.
    fn flush(&mut self, directory: &Directory) -> io::Result<&mut Table> {
        let count = self.len();
        let table = match self.table.take() {
            Some(table) if table.has_room(self.recent.len()) => table,
            old => {
                let mut table = Table::create(directory, count)?;
                for part in old.iter().flat_map(Table::parts) {
                    table.insert_all(part?)?;
                }
                table
            }
        };
        let table = self.table.insert(table);
        table.insert_all(mem::take(&mut self.recent))?;
        Ok(table)
    }
}
