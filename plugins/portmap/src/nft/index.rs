//! Elements by the ports they are for.

use cni_types::sort_by;

use super::element::{HeldElement, Place};
use crate::mapping::Ports;

/// What is held, by port.
pub(super) struct Index<'a> {
    held: &'a [HeldElement],
    /// Places in `held`, in the order of their ports.
    single: Vec<(Ports, usize)>,
    ranges: Vec<(Ports, usize)>,
}

impl<'a> Index<'a> {
    pub(super) fn new(held: &'a [HeldElement]) -> Self {
        let mut index = Self { held, single: Vec::new(), ranges: Vec::new() };
        for (at, held) in held.iter().enumerate() {
            match &held.place {
                Place::Port(_, ports) if ports.is_range() => index.ranges.push((*ports, at)),
                Place::Port(_, ports) => index.single.push((*ports, at)),
                Place::Source(..) => {}
            }
        }
        sort_by(&mut index.single, |a, b| a < b);
        index
    }

    pub(super) fn overlapping<'b>(
        &'b self,
        ports: &'b Ports,
    ) -> impl Iterator<Item = (&'b Ports, &'a HeldElement)> {
        let from = self.single.partition_point(|(other, _)| *other < Ports { last: ports.first, ..*ports });
        let single = self.single[from..].iter().take_while(|(other, _)| other.overlaps(ports));
        let ranges = self.ranges.iter().filter(|(other, _)| other.overlaps(ports));
        single.chain(ranges).map(|(ports, at)| (ports, &self.held[*at]))
    }
}
