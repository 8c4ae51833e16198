//! Time as leases count it.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// Time since the machine booted, suspended or not (`CLOCK_BOOTTIME`): nobody can set it, and it means the same to a
/// daemon that is started anew.
pub(crate) fn now() -> Duration {
    // The clock is there on every kernel since 2.6.39.
    clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from).unwrap_or_default()
}

/// Random numbers (SplitMix64) for transaction ids and jitter.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// Seeded by the standard library's hash keys, which come from the system.
    pub(crate) fn new() -> Self {
        Self(RandomState::new().build_hasher().finish())
    }

    #[cfg(test)]
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut n = self.0;
        n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        n ^ (n >> 31)
    }

    /// A transaction id.
    pub(crate) fn xid(&mut self) -> u32 {
        let [a, b, c, d, ..] = self.next().to_le_bytes();
        u32::from_le_bytes([a, b, c, d])
    }

    /// A duration below `limit`.
    pub(crate) fn below(&mut self, limit: Duration) -> Duration {
        let millis = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.next().checked_rem(millis).unwrap_or(0))
    }
}
