//! The keys of `bandwidth`, read and validated.

use cni_net::{Link, TokenBucket};
use cni_types::{Absent, Doing, Error, Form, Formed, Network, PluginKeys, Result, keys};
use serde::Deserialize;

/// The least rate and burst that is a byte, in bits.
const MIN: u64 = 8;
/// The largest burst in bits: the kernel's fields for it have 32 bits of bytes.
const BURST_MAX: u64 = (u32::MAX as u64) * 8 - 1;
const BURST_MAX_BYTES: u32 = u32::MAX - 1;
/// The rate in bits per second at which the largest burst lasts a microsecond.
const RATE_MAX: u64 = BURST_MAX_BYTES as u64 * 8_000_000;
/// A burst that is not configured is what the rate gives in a tenth of a second …
const BURSTS_PER_SECOND: u64 = 10;
/// … but at least two frames: a bucket smaller than one never lets it pass.
const FRAMES: u64 = 2;
/// Bytes of an Ethernet header with a VLAN tag, which the MTU does not count.
const FRAME_HEADER: u64 = 18;

keys! {
    struct Keys {
        /// bits per second towards the container
        "ingressRate" ingress_rate: Rate;
        /// bits that pass at once, towards the container
        "ingressBurst" ingress_burst: Burst, needs("ingressRate");
        /// bits per second from the container
        "egressRate" egress_rate: Rate;
        /// bits that pass at once, from the container
        "egressBurst" egress_burst: Burst, needs("egressRate");
    }

    struct Runtime {
        "runtimeConfig" runtime_config: RuntimeConfig;
    }

    struct RuntimeConfig {
        /// the same keys; with any of them in the configuration itself it is ignored
        "bandwidth" bandwidth: Keys;
    }
}

/// What `bandwidth` can be told.
pub const KEYS: PluginKeys =
    PluginKeys { plugin: "bandwidth", keys: &[Keys::KEYS, Runtime::KEYS], args: &[] };

/// Bits per second.
#[derive(Default, Deserialize)]
#[serde(transparent)]
struct Rate(u64);

impl Formed for Rate {
    const FORM: Form = Form::Whole(&[(0, 0), (MIN as i128, RATE_MAX as i128 + 7)]);
    const ABSENT: Absent = Absent::Otherwise("0: no limit");
}

/// Bits.
#[derive(Default, Deserialize)]
#[serde(transparent)]
struct Burst(u64);

impl Formed for Burst {
    const FORM: Form = Form::Whole(&[(0, 0), (MIN as i128, BURST_MAX as i128)]);
    const ABSENT: Absent = Absent::Otherwise("0: a tenth of a second of the rate, at least two frames");
}

/// What is limited.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Towards the container.
    pub(crate) ingress: Option<Limit>,
    /// From the container.
    pub(crate) egress: Option<Limit>,
}

/// One direction's limit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    /// The key of its rate, for messages.
    key: &'static str,
    /// Bytes per second, at least 1.
    rate: u64,
    /// Bytes, at least 1; `None` was not configured.
    burst: Option<u32>,
}

impl Limits {
    /// The configuration's own keys or, without any, those of `runtimeConfig.bandwidth`.
    ///
    /// # Errors
    /// Code 6 for a value that is no whole number from 0 to 2^64 − 1, code 7 for one that is not allowed.
    pub(crate) fn read(network: &Network) -> Result<Self> {
        let is_static = Keys::KEYS.iter().any(|key| network.json().has(key.name));
        let (keys, source) = if is_static {
            (network.conf()?, "")
        } else {
            (network.conf::<Runtime>()?.runtime_config.bandwidth, "runtimeConfig.bandwidth")
        };
        let limits = keys.limits();
        if source.is_empty() { limits } else { limits.doing(source) }
    }

    /// Whether there is nothing to do.
    pub(crate) fn is_empty(&self) -> bool {
        self.ingress.is_none() && self.egress.is_none()
    }
}

impl Keys {
    fn limits(&self) -> Result<Limits> {
        Ok(Limits {
            ingress: limit("ingressRate", self.ingress_rate.0, "ingressBurst", self.ingress_burst.0)?,
            egress: limit("egressRate", self.egress_rate.0, "egressBurst", self.egress_burst.0)?,
        })
    }
}

/// Rate in bits per second and burst in bits; 0 is not set, for runtimes that write all four keys always.
fn limit(rate_key: &'static str, rate: u64, burst_key: &str, burst: u64) -> Result<Option<Limit>> {
    if rate == 0 && burst == 0 {
        return Ok(None);
    }
    if rate == 0 {
        return Err(Error::config(format!(
            "{burst_key} is {burst} but {rate_key} is 0 or missing: a burst needs a rate of at least {MIN} bits/s"
        )));
    }
    if rate < MIN {
        return Err(Error::config(format!(
            "{rate_key} is {rate}: it must be at least {MIN} bits/s, or 0 for no limit"
        )));
    }
    if burst > BURST_MAX {
        return Err(Error::config(format!("{burst_key} is {burst}: burst cannot be more than 4GB"))
            .because(format!("it must be {MIN}–{BURST_MAX} bits")));
    }
    if (1..MIN).contains(&burst) {
        return Err(Error::config(format!(
            "{burst_key} is {burst}: it must be at least {MIN} bits, or 0 for a tenth of a second of {rate_key}"
        )));
    }
    let burst = u32::try_from(burst / 8).ok().filter(|&bytes| bytes != 0);
    // The kernel counts in ticks, and the reference in microseconds: next to the rate the burst may come to nothing.
    if TokenBucket::new(rate / 8, burst.unwrap_or(BURST_MAX_BYTES)).burst() == 0 {
        return Err(Error::config(format!("{burst_key} is too small for {rate_key}, {rate} bits/s")).because(format!(
            "it must be what the rate gives in two microseconds: at least {} bits; the rate can be at most {RATE_MAX} bits/s",
            (u128::from(rate) / 500_000).next_multiple_of(8) + 16
        )));
    }
    Ok(Some(Limit { key: rate_key, rate: rate / 8, burst }))
}

impl Limit {
    /// The token bucket on a link with the MTU of `host_end`.
    pub(crate) fn bucket(&self, host_end: &Link) -> TokenBucket {
        TokenBucket::new(self.rate, self.burst_on(host_end))
    }

    /// What the reference's ADD made of the same keys; without a burst it made nothing.
    pub(crate) fn buckets_of_the_reference(&self) -> Vec<TokenBucket> {
        self.burst.iter().flat_map(|&burst| TokenBucket::of_the_reference(self.rate, burst)).collect()
    }

    /// The burst in bytes.
    fn burst_on(&self, host_end: &Link) -> u32 {
        let frames = FRAMES * (u64::from(host_end.mtu) + FRAME_HEADER);
        let default =
            || u32::try_from((self.rate / BURSTS_PER_SECOND).max(frames)).unwrap_or(BURST_MAX_BYTES);
        self.burst.unwrap_or_else(default)
    }

    /// What is wrong with a limit that is valid all the same.
    pub(crate) fn warning(&self, host_end: &Link) -> Option<String> {
        let (key, rate, burst) = (self.key, self.rate, u64::from(self.burst?));
        let frame = u64::from(host_end.mtu) + FRAME_HEADER;
        let sane = (rate / BURSTS_PER_SECOND).max(FRAMES * frame).saturating_mul(8);
        if burst > rate.max(FRAMES * frame) {
            let seconds = burst / rate;
            return Some(format!(
                "the limit of {key} means little: its burst of {burst} bytes is what the rate of {rate} bytes/s gives \
                 in {seconds} s, and passes unlimited; try a burst of {sane} bits"
            ));
        }
        (burst < frame).then(|| {
            format!(
                "the burst of {key}, {burst} bytes, is smaller than a frame of link {}: frames of more than {burst} bytes \
                 are dropped; try a burst of {sane} bits",
                host_end.name
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(rate: u64, burst: u64) -> Result<Option<Limit>> {
        limit("ingressRate", rate, "ingressBurst", burst)
    }

    #[test]
    fn the_ends_of_the_ranges() {
        let some = |rate, burst| Some(Limit { key: "ingressRate", rate, burst });
        assert_eq!(keys(0, 0).unwrap(), None);
        assert_eq!(keys(8, 8).unwrap(), some(1, Some(1)));
        assert_eq!(keys(15, 0).unwrap(), some(1, None));
        assert_eq!(keys(1 << 50, (1 << 35) - 16).unwrap(), some(1 << 47, Some(u32::MAX - 1)));
        for (rate, burst) in [(0, 8), (7, 8), (7, 0), (8, 7), (8, (1 << 35) - 8), (8, 1 << 35), (8, u64::MAX)]
        {
            assert_eq!(keys(rate, burst).unwrap_err().code.0, 7, "{rate} {burst}");
        }
    }

    #[test]
    fn the_default_burst_is_a_tenth_of_a_second_or_two_frames() {
        let link = Link { mtu: 1500, ..Link::default() };
        let burst = |rate| keys(rate, 0).unwrap().unwrap().burst_on(&link);
        assert_eq!(burst(80_000_000), 1_000_000);
        assert_eq!(burst(8), 3036);
        assert_eq!(burst(1 << 50), u32::MAX - 1);
    }

    #[test]
    fn a_burst_of_more_than_a_second_or_less_than_a_frame_is_warned_about() {
        let link = Link { mtu: 1500, ..Link::default() };
        let warning = |rate, burst| keys(rate, burst).unwrap().unwrap().warning(&link);
        assert!(warning(10_000_000, 268_435_456).unwrap().contains("26 s"));
        assert!(warning(10_000_000, 8000).unwrap().contains("1000 bytes"));
        for fine in [(10_000_000, 10_000_000), (10_000_000, 0), (8, 0), (80_000, 24_000)] {
            assert_eq!(warning(fine.0, fine.1), None, "{fine:?}");
        }
    }
}
