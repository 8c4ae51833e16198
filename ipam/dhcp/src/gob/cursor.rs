//! Reading gob's numbers from a slice.

use super::Error;

/// A place in a slice of bytes.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// What has not been read.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// The next `count` bytes.
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Error::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    /// An unsigned number: below 128 one byte, else the complement of the count of big-endian bytes that follow.
    pub(super) fn uint(&mut self) -> Result<u64, Error> {
        let [first] = *self.take(1)? else { return Err(Error::Truncated) };
        if first < 0x80 {
            return Ok(first.into());
        }
        let count = usize::from(first.wrapping_neg());
        if count > 8 {
            return Err(Error::Number);
        }
        Ok(self.take(count)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// A signed number: an unsigned one whose lowest bit says that the others are complemented.
    pub(super) fn int(&mut self) -> Result<i64, Error> {
        let number = self.uint()?;
        let magnitude = i64::try_from(number >> 1).map_err(|_| Error::Number)?;
        Ok(if number & 1 == 0 { magnitude } else { !magnitude })
    }

    /// A length or a count, of bytes that are there.
    pub(super) fn length(&mut self) -> Result<usize, Error> {
        let length = usize::try_from(self.uint()?).map_err(|_| Error::Truncated)?;
        if length > self.0.len() { Err(Error::Truncated) } else { Ok(length) }
    }

    /// Bytes behind their length.
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Error> {
        let length = self.length()?;
        self.take(length)
    }
}
