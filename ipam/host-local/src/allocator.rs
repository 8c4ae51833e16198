//! Which addresses of a set come next. Pure: it knows neither files nor what is taken.

use std::net::IpAddr;

use crate::conf::{Range, RangeSet, number, offset};

/// All addresses of `set` but its gateways, each once, round robin: from the one after `last` on, across the set's
/// ranges and around, so that `last` itself comes at the end. A `last` outside the set counts as none, and the first
/// range's first address comes first.
pub(crate) fn candidates(set: &RangeSet, last: Option<IpAddr>) -> impl Iterator<Item = IpAddr> + '_ {
    let ranges = set.ranges();
    let at = last.and_then(|last| Some((ranges.iter().position(|range| range.contains(last))?, last)));
    let (tail, others, head) = match at {
        Some((i, last)) => {
            let range = &ranges[i];
            let tail = Span::after(range, last);
            (tail, ranges[i + 1..].iter().chain(&ranges[..i]), Span::until(range, last))
        }
        None => (Span::EMPTY, ranges.iter().chain(&[]), Span::EMPTY),
    };
    tail.chain(others.flat_map(Span::whole)).chain(head).filter(|ip| !set.is_gateway(*ip))
}

/// Consecutive addresses: the next one, and the last one.
struct Span(Option<(IpAddr, IpAddr)>);

impl Span {
    const EMPTY: Self = Self(None);

    fn whole(range: &Range) -> Self {
        Self(Some((range.start(), range.end())))
    }

    fn after(range: &Range, ip: IpAddr) -> Self {
        Self((ip != range.end()).then(|| (offset(ip, 1), range.end())))
    }

    fn until(range: &Range, ip: IpAddr) -> Self {
        Self(Some((range.start(), ip)))
    }
}

impl Iterator for Span {
    type Item = IpAddr;

    fn next(&mut self) -> Option<IpAddr> {
        let (next, last) = self.0?;
        self.0 = (number(next) < number(last)).then(|| (offset(next, 1), last));
        Some(next)
    }
}

#[cfg(test)]
mod tests;
