//! Which addresses of a set come next. Pure: it knows neither files nor what is taken.

use std::net::IpAddr;

use cni_types::{Family, ip_number};

use crate::conf::{Range, RangeSet, offset};

/// So many positions of an order are told taken from free at once: a million, in 128 KiB.
const WINDOW: usize = 1 << 20;

/// All addresses of a set but its gateways, each once, round robin: from the one after the last one given out on,
/// across the set's ranges and around, so that the last one itself comes at the end. One outside the set counts as
/// none, and the first range's first address comes first.
pub(crate) struct Sequence<'a> {
    set: &'a RangeSet,
    // First and last address of each stretch.
    spans: Vec<(IpAddr, IpAddr)>,
}

impl<'a> Sequence<'a> {
    pub(crate) fn new(set: &'a RangeSet, last: Option<IpAddr>) -> Self {
        let ranges = set.ranges();
        let whole = |range: &Range| (range.start(), range.end());
        let at = last.and_then(|last| Some((ranges.iter().position(|range| range.contains(last))?, last)));
        let Some((i, last)) = at else { return Self { set, spans: ranges.iter().map(whole).collect() } };
        let tail = (last != ranges[i].end()).then(|| (offset(last, 1), ranges[i].end()));
        let others = ranges[i + 1..].iter().chain(&ranges[..i]).map(whole);
        let head = (ranges[i].start(), last);
        Self { set, spans: tail.into_iter().chain(others).chain([head]).collect() }
    }

    /// The addresses.
    pub(crate) fn iter(&self) -> impl Iterator<Item = IpAddr> + '_ {
        self.positions().filter(|ip| !self.set.is_gateway(*ip))
    }

    /// The addresses but those that are `taken`; past the window, which is longer than most sets, all.
    pub(crate) fn free<'b>(&'b self, taken: &'b Taken) -> impl Iterator<Item = IpAddr> + 'b {
        let free = |at: &usize| taken.0.get(at / 8).is_none_or(|byte| byte & bit(*at) == 0);
        let numbered = (0_usize..).zip(self.positions()).filter(move |(at, _)| free(at));
        numbered.map(|(_, ip)| ip).filter(|ip| !self.set.is_gateway(*ip))
    }

    /// Notes that `ip` is taken, if it is one of the first addresses.
    pub(crate) fn take(&self, taken: &mut Taken, ip: IpAddr) {
        let Some(at) = self.position(ip).and_then(|at| usize::try_from(at).ok()) else { return };
        if let Some(byte) = taken.0.get_mut(at / 8) {
            *byte |= bit(at);
        }
    }

    /// The addresses, and the gateways between them.
    fn positions(&self) -> impl Iterator<Item = IpAddr> + '_ {
        self.spans.iter().flat_map(|(first, last)| {
            (0..=ip_number(*last) - ip_number(*first)).map(|steps| offset(*first, steps))
        })
    }

    fn position(&self, ip: IpAddr) -> Option<u128> {
        let mut before = 0_u128;
        for (first, last) in &self.spans {
            if Family::of(*first) == Family::of(ip)
                && (ip_number(*first)..=ip_number(*last)).contains(&ip_number(ip))
            {
                return before.checked_add(ip_number(ip) - ip_number(*first));
            }
            before = before.saturating_add(ip_number(*last) - ip_number(*first)).saturating_add(1);
        }
        None
    }
}

/// The addresses of an order that are taken: a bit for each position in the window.
#[derive(Debug)]
pub(crate) struct Taken(Vec<u8>);

impl Default for Taken {
    fn default() -> Self {
        Self(vec![0; WINDOW / 8])
    }
}

fn bit(at: usize) -> u8 {
    1 << (at % 8)
}

#[cfg(test)]
mod tests;
