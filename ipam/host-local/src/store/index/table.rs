//! The index on disk: a header and a hash table with open addressing, all of it little-endian 64-bit words.
//!
//! Header: magic, boot id (2 words), the directory's inode, the directory's mtime (seconds, nanoseconds), slots,
//! live entries, entries including removed ones. Slot: owner hash, address (2 words, IPv4 mapped).
//!
//! Whoever makes or removes a file moves the directory's mtime to the present. So the last act of an operation sets it
//! to a moment in the past and writes that into the header: if the two differ, somebody else (the reference, an
//! administrator, a process of ours that died) was there since, and the table is not believed. Nor is it after a boot,
//! since after a power loss its pages may be older than the files.

use std::fs::File;
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::os::unix::fs::FileExt;
use std::time::{Duration, SystemTime};

use cni_types::sort_by;
use nix::fcntl::OFlag;

use super::stamp::{Stamp, low_word};
use crate::store::directory::Directory;

/// Name of the table's file. The reference reads it on its scans, as it reads every file, and sees no owner in it.
pub(in crate::store) const NAME: &str = ".host-local.index";
/// Bytes of a slot.
const SLOT: usize = 24;
/// Bytes of the header: four slots, of which the last words are unused.
const HEADER: usize = 4 * SLOT;
/// Slots read at a time to find one entry.
const BLOCK: usize = 32;
/// Slots read and written at a time for all entries: 24 KiB.
const PART: u64 = 1024;
/// For fewer new entries than this a part is not read and written as a whole.
const FEW: usize = 8;
/// Hash words with a meaning of their own; real hashes are moved out of the way.
const EMPTY: u64 = 0;
const REMOVED: u64 = 1;

/// One reservation: the hash of its owner, and its address.
pub(in crate::store) type Entry = (u64, IpAddr);

/// An open table.
pub(in crate::store) struct Table {
    file: File,
    slots: u64,
    live: u64,
    filled: u64,
    // Set to `None` by a change.
    sealed: Option<Stamp>,
}

impl Table {
    /// Opens the table, if it is there, whole, and of the directory's present state.
    pub(super) fn find(directory: &Directory) -> Option<Self> {
        let file = directory.open_entry(NAME, OFlag::O_RDWR, 0).ok()?;
        let mut header = [0; HEADER];
        file.read_exact_at(&mut header, 0).ok()?;
        let mut words = words(&header);
        let stamp = Stamp([(); 6].map(|()| words.next().unwrap_or(0)));
        let [slots, live, filled] = [(); 3].map(|()| words.next().unwrap_or(0));
        let whole = slots.is_power_of_two()
            && live <= filled
            && filled < slots
            && slots.checked_mul(SLOT as u64).and_then(|n| n.checked_add(HEADER as u64))
                == Some(file.metadata().ok()?.len());
        let sealed = Some(stamp);
        (whole && Stamp::of(directory) == sealed).then_some(Self { file, slots, live, filled, sealed })
    }

    /// Makes a new, empty table that will be at most half full with `count` entries. It is not believed before it is
    /// sealed.
    pub(super) fn create(directory: &Directory, count: usize) -> io::Result<Self> {
        let slots = (count as u64 * 2).next_power_of_two().max(BLOCK as u64);
        directory.remove_if_present(NAME)?;
        directory.create(NAME, &[])?;
        let file = directory.open_entry(NAME, OFlag::O_RDWR, 0)?;
        file.set_len(place(slots) as u64)?;
        Ok(Self { file, slots, live: 0, filled: 0, sealed: None })
    }

    pub(super) fn len(&self) -> usize {
        usize::try_from(self.live).unwrap_or(usize::MAX)
    }

    /// Whether so many more entries keep the table at most three quarters full.
    pub(super) fn has_room(&self, more: usize) -> bool {
        self.filled + more as u64 <= self.slots / 4 * 3
    }

    pub(super) fn find_all(&self, hash: u64) -> io::Result<Vec<IpAddr>> {
        let mut found = Vec::new();
        self.probe(hash, |_, (h, ip)| {
            if h == spare(hash) {
                found.push(ip);
            }
            h == EMPTY
        })?;
        Ok(found)
    }

    /// Adds entries by the order of their places, so that each part of the table is read and written once.
    pub(super) fn insert_all(&mut self, mut entries: Vec<Entry>) -> io::Result<()> {
        let (slots, size) = (self.slots, self.slots.min(PART));
        sort_by(&mut entries, |a, b| home(a.0, slots) < home(b.0, slots));
        for group in entries.chunk_by(|a, b| home(a.0, slots) / size == home(b.0, slots) / size) {
            let late = if group.len() < FEW { group.to_vec() } else { self.insert_near(group)? };
            for entry in late {
                self.insert(entry)?;
            }
        }
        Ok(())
    }

    /// Adds entries whose places are all in one part; returns those for which there is no room up to its end.
    fn insert_near(&mut self, group: &[Entry]) -> io::Result<Vec<Entry>> {
        let mut late = Vec::new();
        let Some(first) = group.first().map(|entry| home(entry.0, self.slots) / PART * PART) else {
            return Ok(late);
        };
        let mut part = vec![0; place(self.slots.min(PART)) - HEADER];
        self.file.read_exact_at(&mut part, place(first) as u64)?;
        for entry in group {
            let from = place(home(entry.0, self.slots) - first) - HEADER;
            match part[from..].chunks_exact_mut(SLOT).find(|slot| slot[..8] == [0; 8]) {
                Some(slot) => {
                    slot.copy_from_slice(&encode(*entry));
                    self.live += 1;
                    self.filled += 1;
                }
                None => late.push(*entry),
            }
        }
        self.sealed = None;
        self.file.write_all_at(&part, place(first) as u64)?;
        Ok(late)
    }

    fn insert(&mut self, entry: Entry) -> io::Result<()> {
        let free = self.probe(entry.0, |_, (h, _)| h == EMPTY || h == REMOVED)?;
        let (at, (hash, _)) = free.ok_or_else(|| io::Error::other("the index has no free slot"))?;
        self.file.write_all_at(&encode(entry), place(at) as u64)?;
        self.live += 1;
        self.filled += u64::from(hash == EMPTY);
        self.sealed = None;
        Ok(())
    }

    pub(super) fn remove(&mut self, (hash, ip): Entry) -> io::Result<()> {
        let end = self.probe(hash, |_, found| found == (spare(hash), ip) || found.0 == EMPTY)?;
        if let Some((at, _)) = end.filter(|(_, found)| found.0 != EMPTY) {
            self.file.write_all_at(&REMOVED.to_le_bytes(), place(at) as u64)?;
            self.live = self.live.saturating_sub(1);
            self.sealed = None;
        }
        Ok(())
    }

    /// All entries, a part at a time, in no order.
    pub(super) fn parts(&self) -> impl Iterator<Item = io::Result<Vec<Entry>>> + '_ {
        let size = self.slots.min(PART);
        (0..self.slots / size).map(move |n| {
            let mut part = vec![0; place(size) - HEADER];
            self.file.read_exact_at(&mut part, place(n * size) as u64)?;
            Ok(part.chunks_exact(SLOT).map(decode).filter(|(hash, _)| *hash > REMOVED).collect())
        })
    }

    /// Ties the table to the directory as it is now. On a file system that does not keep the time it is given, the
    /// table stays unbelieved.
    pub(super) fn seal(&mut self, directory: &Directory) -> io::Result<()> {
        if self.sealed.is_some() && self.sealed == Stamp::of(directory) {
            return Ok(());
        }
        let past = SystemTime::now() - Duration::from_secs(10);
        directory.file().set_modified(past)?;
        if directory.file().metadata()?.modified()? != past {
            return Err(io::Error::other("the file system does not keep times to the nanosecond"));
        }
        let stamp = Stamp::of(directory).ok_or_else(|| io::Error::other("no boot id"))?;
        self.sealed = Some(stamp);
        let words = stamp.0.into_iter().chain([self.slots, self.live, self.filled]);
        let header: Vec<u8> = words.flat_map(u64::to_le_bytes).collect();
        self.file.write_all_at(&header, 0)
    }

    /// Walks the slots from the hash's own place on until `stop` says so; returns the slot it stopped at.
    fn probe(&self, hash: u64, mut stop: impl FnMut(u64, Entry) -> bool) -> io::Result<Option<(u64, Entry)>> {
        let mut block = [0; BLOCK * SLOT];
        let mut at = home(hash, self.slots);
        let mut left = self.slots;
        while left > 0 {
            let count = (BLOCK as u64).min(self.slots - at).min(left);
            let bytes = &mut block[..place(count) - HEADER];
            self.file.read_exact_at(bytes, place(at) as u64)?;
            for (slot, entry) in (at..).zip(bytes.chunks_exact(SLOT).map(decode)) {
                if stop(slot, entry) {
                    return Ok(Some((slot, entry)));
                }
            }
            at = (at + count) & (self.slots - 1);
            left -= count;
        }
        Ok(None)
    }
}

/// A hash that no slot's marker can be mistaken for.
fn spare(hash: u64) -> u64 {
    if hash <= REMOVED { hash + 2 } else { hash }
}

/// The slot an entry is looked for first. The high bits of FNV are its better ones.
fn home(hash: u64, slots: u64) -> u64 {
    let hash = spare(hash);
    (hash ^ (hash >> 32)) & (slots - 1)
}

/// Where a slot is in the file. A table that exists fits the address space.
fn place(slot: u64) -> usize {
    HEADER + usize::try_from(slot).unwrap_or(usize::MAX / SLOT / 2) * SLOT
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u64> + '_ {
    bytes.chunks_exact(8).map(|chunk| chunk.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)))
}

fn encode((hash, ip): Entry) -> [u8; SLOT] {
    // One number space for both families: that of IPv6, with IPv4 mapped into it (RFC 4291, section 2.5.5.2).
    let number = match ip {
        IpAddr::V4(ip) => u128::from(ip.to_ipv6_mapped()),
        IpAddr::V6(ip) => u128::from(ip),
    };
    let mut slot = [0; SLOT];
    slot[..8].copy_from_slice(&spare(hash).to_le_bytes());
    slot[8..16].copy_from_slice(&low_word(number >> 64).to_le_bytes());
    slot[16..].copy_from_slice(&low_word(number).to_le_bytes());
    slot
}

fn decode(slot: &[u8]) -> Entry {
    let mut words = words(slot);
    let [hash, high, low] = [(); 3].map(|()| words.next().unwrap_or(0));
    let ip = Ipv6Addr::from(u128::from(high) << 64 | u128::from(low));
    (hash, IpAddr::V6(ip).to_canonical())
}

#[cfg(test)]
mod tests;
