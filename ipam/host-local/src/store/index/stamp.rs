//! What ties a table to one state of one directory.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::store::directory::Directory;

/// `hlindex` and the format's number.
const MAGIC: u64 = u64::from_le_bytes(*b"hlindex\x01");

/// The first words of a table's header.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp(pub(super) [u64; 6]);

impl Stamp {
    /// The stamp that holds now. `None` when the kernel does not tell its boot id.
    pub(super) fn of(directory: &Directory) -> Option<Self> {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        let boot = u128::from_str_radix(&boot.trim().replace('-', ""), 16).ok()?;
        let metadata = directory.file().metadata().ok()?;
        Some(Self([
            MAGIC,
            low_word(boot >> 64),
            low_word(boot),
            metadata.ino(),
            bits(metadata.mtime()),
            bits(metadata.mtime_nsec()),
        ]))
    }
}

/// The same bits, as the table stores them.
fn bits(number: i64) -> u64 {
    u64::from_le_bytes(number.to_le_bytes())
}

pub(super) fn low_word(wide: u128) -> u64 {
    u64::try_from(wide & u128::from(u64::MAX)).unwrap_or(0)
}
