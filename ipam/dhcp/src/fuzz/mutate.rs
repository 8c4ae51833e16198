//! Inputs that are nearly right.

use std::ops::Range;

use crate::clock::Random;

/// Bytes at which encodings change their mind.
const EDGES: [u8; 10] = [0, 1, 2, 0x35, 0x7f, 0x80, 0xf8, 0xfe, 0xff, b'\n'];

/// What makes them.
#[derive(Debug)]
pub(super) struct Mutator(Random);

impl Mutator {
    pub(super) fn new(seed: u64) -> Self {
        Self(Random::seeded(seed))
    }

    /// A number below `end`; 0 when there is none.
    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.0.xid()).unwrap() % end.max(1)
    }

    fn byte(&mut self) -> u8 {
        if self.below(2) == 0 { EDGES[self.below(EDGES.len())] } else { self.0.xid().to_le_bytes()[0] }
    }

    fn range(&mut self, length: usize, longest: usize) -> Range<usize> {
        let start = self.below(length);
        start..length.min(start + 1 + self.below(longest))
    }

    /// A member of the corpus with up to six changes.
    pub(super) fn input(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = corpus[self.below(corpus.len())].clone();
        for _ in 0..self.below(7) {
            self.change(&mut bytes, corpus);
        }
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let at = self.below(bytes.len());
        match self.below(7) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << self.below(8),
            1 if !bytes.is_empty() => bytes[at] = self.byte(),
            2 => bytes.truncate(at),
            3 if !bytes.is_empty() => drop(bytes.drain(self.range(bytes.len(), 16))),
            4 if !bytes.is_empty() => {
                let copied = bytes[self.range(bytes.len(), 64)].to_vec();
                bytes.splice(at..at, copied);
            }
            5 => {
                let other = &corpus[self.below(corpus.len())];
                bytes.truncate(at);
                bytes.extend_from_slice(&other[self.below(other.len())..]);
            }
            _ => {
                let new: Vec<_> = (0..=self.below(12)).map(|_| self.byte()).collect();
                bytes.splice(at..at, new);
            }
        }
    }
}
