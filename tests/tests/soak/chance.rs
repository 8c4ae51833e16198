//! What happens to a pod: by chance, but the same for the same seed.

/// A sequence of numbers (xorshift64*, Vigna 2016).
pub(crate) struct Chance(u64);

impl Chance {
    /// The sequence of one pod.
    pub(crate) fn new(seed: u64, pod: usize) -> Self {
        let mut chance = Self(seed.wrapping_add(pod as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        chance.below(2);
        chance
    }

    /// A number from 0 to `end` - 1.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).unwrap() % end
    }

    /// Once in `n`.
    pub(crate) fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}
