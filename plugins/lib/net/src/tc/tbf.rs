//! The token bucket filter (`net/sched/sch_tbf.c`, tc-tbf(8)).

use cni_netlink::attr::{find, host32, host64};
use cni_netlink::{CREATE, EXCL, Request};
use cni_types::Result;

use super::{ROOT, ROOT_HANDLE, TCA_OPTIONS, qdisc};
use crate::link::Link;
use crate::rtnl::Rtnl;

/// `TCA_TBF_PARMS`, `TCA_TBF_RATE64` (`linux/pkt_sched.h`)
const TCA_TBF_PARMS: u16 = 1;
const TCA_TBF_RATE64: u16 = 4;
/// Bytes of `struct tc_ratespec`, whose rate is its last field, and of `struct tc_tbf_qopt`: rate, peak rate, limit,
/// buffer, mtu.
const RATESPEC: usize = 12;
const QOPT: usize = 36;

/// One second and one packet scheduler tick (`PSCHED_SHIFT`, `include/net/pkt_sched.h`: 64 ns).
const SECOND_US: u128 = 1_000_000;
const TICK_NS: u128 = 64;
/// How long a packet may wait for tokens before it is dropped.
const LATENCY_US: u128 = 25_000;

/// The parameters of a token bucket, as the kernel has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenBucket {
    /// Rate in bytes per second.
    pub rate: u64,
    /// How many bytes wait before packets are dropped.
    pub limit: u32,
    /// The time the burst takes at this rate, in scheduler ticks of 64 ns.
    pub buffer: u32,
}

impl TokenBucket {
    /// The bucket for `rate` bytes per second (at least 1) and bursts of `burst` bytes: packets wait for 25 ms at
    /// most. The arithmetic is the reference's: the burst's time is cut to whole microseconds first. What the kernel's
    /// fields cannot hold is the most they can.
    pub fn new(rate: u64, burst: u32) -> Self {
        let (wide_rate, wide_burst) = (u128::from(rate.max(1)), u128::from(burst));
        let burst_us = (wide_burst * SECOND_US / wide_rate).min(u128::from(u32::MAX));
        let limit = wide_rate * LATENCY_US / SECOND_US + wide_burst;
        Self { rate, limit: saturated(limit), buffer: saturated(burst_us * 1000 / TICK_NS) }
    }

    /// What the reference makes of the same, which computes in 32 bits: its burst and limit wrap. Where the processor
    /// converts large numbers to the largest one (arm64), the burst does not.
    pub fn of_the_reference(rate: u64, burst: u32) -> [Self; 2] {
        let wide_rate = u128::from(rate.max(1));
        [wrapped, saturated].map(|convert: fn(u128) -> u32| {
            let burst_us = convert(u128::from(burst) * SECOND_US / wide_rate);
            let buffer = convert(u128::from(burst_us) * 1000 / TICK_NS);
            Self { rate, limit: convert(wide_rate * LATENCY_US / SECOND_US).wrapping_add(burst), buffer }
        })
    }

    /// Whether it is `other` but for the rounding of the burst to whole bytes, as tc(8) does it.
    pub fn is_rounded(&self, other: &Self) -> bool {
        let ticks_of_a_byte = SECOND_US * 1000 / (TICK_NS * u128::from(self.rate.max(1))) + 1;
        (self.rate, self.limit) == (other.rate, other.limit)
            && u128::from(self.buffer.abs_diff(other.buffer)) <= ticks_of_a_byte
    }

    /// The burst in bytes, for messages.
    pub fn burst(&self) -> u64 {
        let bytes = u128::from(self.buffer) * TICK_NS * u128::from(self.rate) / (SECOND_US * 1000);
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    /// `None` when the options are too short.
    pub(super) fn decode(options: &[u8]) -> Option<Self> {
        let parameters = find(options, TCA_TBF_PARMS)?.get(..QOPT)?;
        let number = |at: usize| host32(&parameters[at..]);
        let wide = find(options, TCA_TBF_RATE64).and_then(host64);
        let rate = wide.or_else(|| number(RATESPEC - 4).map(u64::from))?;
        Some(Self { rate, limit: number(2 * RATESPEC)?, buffer: number(2 * RATESPEC + 4)? })
    }

    /// `struct tc_tbf_qopt`.
    fn parameters(&self) -> [u8; QOPT] {
        let mut bytes = [0; QOPT];
        let rate = saturated(self.rate.into());
        for (at, number) in
            [(RATESPEC - 4, rate), (2 * RATESPEC, self.limit), (2 * RATESPEC + 4, self.buffer)]
        {
            bytes[at..at + 4].copy_from_slice(&number.to_ne_bytes());
        }
        bytes
    }
}

/// The lowest 32 bits.
fn wrapped(number: u128) -> u32 {
    u32::try_from(number & u128::from(u32::MAX)).unwrap_or(u32::MAX)
}

fn saturated(number: u128) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Rtnl {
    /// Makes a token bucket the root qdisc `1:` of the link.
    ///
    /// # Errors
    /// Code 100 when the kernel refuses, also when somebody else's qdisc is there.
    pub fn add_token_bucket(&self, link: &Link, bucket: &TokenBucket) -> Result<()> {
        let mut body = qdisc(link.index, ROOT_HANDLE, ROOT, "tbf");
        body.nest(TCA_OPTIONS, |options| {
            options.bytes(TCA_TBF_PARMS, &bucket.parameters());
            if bucket.rate > u64::from(u32::MAX) {
                options.bytes(TCA_TBF_RATE64, &bucket.rate.to_ne_bytes());
            }
        });
        let doing = format!("add a token bucket of {} bytes/s to link {}", bucket.rate, link.name);
        Ok(self.socket.change(&[Request::new(doing, libc::RTM_NEWQDISC, CREATE | EXCL, body)])?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_references_arithmetic() {
        let bucket = |rate, limit, buffer| TokenBucket { rate, limit, buffer };
        // As Debian's bandwidth 1.1.1 sent them to the kernel.
        assert_eq!(TokenBucket::new(1_000_000, 100_000), bucket(1_000_000, 125_000, 1_562_500));
        assert_eq!(TokenBucket::new(2_000_000, 100_000), bucket(2_000_000, 150_000, 781_250));
        // Cut to whole microseconds, then to whole ticks: 10/3 s.
        assert_eq!(TokenBucket::new(3, 10), bucket(3, 10, 52_083_328));
        assert_eq!(TokenBucket::new(1, 1), bucket(1, 1, 15_625_000));
        assert_eq!(TokenBucket::new(1000, 10), bucket(1000, 35, 156_250));
        assert_eq!(TokenBucket::new(8, u32::MAX), bucket(8, u32::MAX, u32::MAX));
        assert_eq!(TokenBucket::new(u64::MAX / 8, 1), bucket(u64::MAX / 8, u32::MAX, 0));
    }

    #[test]
    fn the_reference_wraps_at_32_bits() {
        // CRI-O's burst at 10 Mbit/s, as measured on amd64: 171798689 bytes.
        let [wrapped, saturated] = TokenBucket::of_the_reference(1_250_000, u32::MAX - 1);
        assert_eq!((wrapped.limit, wrapped.buffer, wrapped.burst()), (31_248, 2_147_483_619, 171_798_689));
        assert_eq!((saturated.limit, saturated.buffer), (31_248, u32::MAX));
        let tc = TokenBucket { buffer: 2_147_483_613, ..wrapped };
        assert!(tc.is_rounded(&wrapped) && !tc.is_rounded(&saturated));
        let bucket = TokenBucket::new(1_000_000, 100_000);
        assert_eq!(TokenBucket::of_the_reference(1_000_000, 100_000), [bucket; 2]);
    }
}
