//! The elements of an attachment: what is written, what is compared, who owns what.

use cni_filter::nft::{Batch, Element, Set};
use cni_types::{AttachmentId, Error, Result};

use super::port::{self, Map};
use super::source::{self, Sources};
use super::{Plan, TABLE};
use crate::flows::Gone;
use crate::mapping::{Ports, Protocol};

/// An element the kernel has.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) place: Place,
    pub(super) value: Vec<u8>,
    pub(super) comment: String,
}

/// Which element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Port(Map, Ports),
    Source(Sources, Vec<u8>),
}

impl Place {
    fn set(&self) -> String {
        match self {
            Self::Port(map, _) => map.name(),
            Self::Source(set, _) => set.name(),
        }
    }

    fn element(&self) -> Element {
        match self {
            Self::Port(map, ports) => ports.element(map.ranges),
            Self::Source(_, key) => source::element(key),
        }
    }
}

impl Held {
    /// Where a mapping that goes led to.
    pub(super) fn gone(&self) -> Option<Gone> {
        let Place::Port(map, ports) = &self.place else { return None };
        let target = port::read_value(&self.value, map.ipv4)?;
        let (first, last) =
            if map.ranges { (ports.first, ports.last) } else { (target.port(), target.port()) };
        Some(Gone { protocol: ports.protocol, ip: target.ip(), first, last })
    }
}

/// The comment of an attachment's elements: its tag, with their number behind the hashes.
pub(super) fn comment(id: &AttachmentId, count: usize) -> String {
    id.tag().replacen(',', &format!(" {count},"), 1)
}

/// The hashes of the owner in a comment.
pub(super) fn owner_of(comment: &str) -> &str {
    comment.split([' ', ',']).next().unwrap_or_default()
}

/// How many elements the owner has.
pub(super) fn count_of(comment: &str) -> Option<usize> {
    comment.split_once(' ')?.1.split_once(',')?.0.parse().ok()
}

/// Writes what the plan lacks. What another attachment left under the container's address goes: the address has a new
/// owner. A port that is held is an error.
pub(super) fn write(
    batch: &mut Batch,
    id: &AttachmentId,
    comment: &str,
    plan: &Plan,
    held: &[Held],
) -> Result<()> {
    let owner = id.tag_prefix();
    let index = Index::new(held);
    let mut new = BySet::default();
    let mut old: Vec<Held> = Vec::new();
    for (ports, target) in &plan.ports {
        let map = ports.map(plan.ipv4(), plan.class_name());
        let value = port::value(*target, map.ranges);
        let mut is_there = false;
        for (taken, other) in index.overlapping(ports) {
            if owner_of(&other.comment) != owner {
                return Err(taken_by(ports, taken, &other.comment));
            }
            is_there = taken == ports && other.value == value && other.comment == comment;
            if !is_there && !old.iter().any(|held| held.place == other.place) {
                old.push(other.clone());
            }
        }
        if !is_there {
            let element = ports.element(map.ranges).value(&value).comment(comment);
            new.push(map.name(), element);
        }
    }
    for network in &plan.sources {
        let (set, key) = (Sources::of(*network), Sources::element(plan.container, *network));
        let other =
            held.iter().find(|held| matches!(&held.place, Place::Source(s, k) if *s == set && *k == key));
        if other.is_some_and(|held| held.comment == comment) {
            continue;
        }
        old.extend(other.cloned());
        new.push(set.name(), source::element(&key).comment(comment));
    }
    erase(batch, &old);
    for (name, elements) in &new.0 {
        batch.extend(Element::add_all(elements, Set { table: TABLE, name }));
    }
    Ok(())
}

/// Removes elements.
pub(super) fn erase(batch: &mut Batch, held: &[Held]) {
    let mut of_set = BySet::default();
    for held in held {
        of_set.push(held.place.set(), held.place.element());
    }
    for (name, elements) in &of_set.0 {
        batch.extend(Element::remove_all(elements, Set { table: TABLE, name }));
    }
}

/// Names what the plan has and the kernel has not.
pub(super) fn missing(missing: &mut Vec<String>, id: &AttachmentId, plan: &Plan, held: &[Held]) {
    let owner = id.tag_prefix();
    let index = Index::new(held);
    for (ports, target) in &plan.ports {
        let map = ports.map(plan.ipv4(), plan.class_name());
        let name = map.name();
        match index.overlapping(ports).find(|(taken, _)| taken == &ports) {
            None => missing.push(format!("map {TABLE} {name} has no element for {}", describe(ports))),
            Some((_, held)) if owner_of(&held.comment) != owner => missing.push(format!(
                "the element for {} in map {TABLE} {name} belongs to another attachment ({})",
                describe(ports),
                held.comment
            )),
            Some((_, held)) if held.value != port::value(*target, map.ranges) => {
                let there = port::read_value(&held.value, map.ipv4);
                let there = there.map(|to| to.to_string()).unwrap_or_default();
                missing.push(format!(
                    "map {TABLE} {name} sends {} to {there}, not to {target}",
                    describe(ports)
                ));
            }
            Some(_) => {}
        }
    }
    for network in &plan.sources {
        let (set, key) = (Sources::of(*network), Sources::element(plan.container, *network));
        let is_there = held.iter().any(|held| {
            matches!(&held.place, Place::Source(s, k) if *s == set && *k == key)
                && owner_of(&held.comment) == owner
        });
        if !is_there {
            missing.push(format!(
                "set {TABLE} {} has no element for {} . {network}",
                set.name(),
                plan.container
            ));
        }
    }
}

/// Elements by the name of their set.
#[derive(Default)]
struct BySet(Vec<(String, Vec<Element>)>);

impl BySet {
    fn push(&mut self, name: String, element: Element) {
        match self.0.iter_mut().find(|(set, _)| *set == name) {
            Some((_, elements)) => elements.push(element),
            None => self.0.push((name, vec![element])),
        }
    }
}

/// What is held, by port.
struct Index<'a> {
    held: &'a [Held],
    /// Places in `held`, in the order of their ports.
    single: Vec<(Ports, usize)>,
    ranges: Vec<(Ports, usize)>,
}

impl<'a> Index<'a> {
    fn new(held: &'a [Held]) -> Self {
        let mut index = Self { held, single: Vec::new(), ranges: Vec::new() };
        for (at, held) in held.iter().enumerate() {
            match &held.place {
                Place::Port(_, ports) if ports.is_range() => index.ranges.push((*ports, at)),
                Place::Port(_, ports) => index.single.push((*ports, at)),
                Place::Source(..) => {}
            }
        }
        index.single.sort_unstable();
        index
    }

    fn overlapping<'b>(&'b self, ports: &'b Ports) -> impl Iterator<Item = (&'b Ports, &'a Held)> {
        let from = self.single.partition_point(|(other, _)| *other < Ports { last: ports.first, ..*ports });
        let single = self.single[from..].iter().take_while(|(other, _)| other.overlaps(ports));
        let ranges = self.ranges.iter().filter(|(other, _)| other.overlaps(ports));
        single.chain(ranges).map(|(ports, at)| (ports, &self.held[*at]))
    }
}

fn describe(ports: &Ports) -> String {
    let protocol = Protocol::ALL.into_iter().find(|p| *p as u8 == ports.protocol).map_or("?", Protocol::name);
    let last = if ports.is_range() { format!("-{}", ports.last) } else { String::new() };
    let ip = ports.host_ip.map(|ip| format!(" of {ip}")).unwrap_or_default();
    format!("port {}{last}/{protocol}{ip}", ports.first)
}

fn taken_by(wanted: &Ports, taken: &Ports, comment: &str) -> Error {
    let names = comment.split_once(", ").map_or(comment, |(_, names)| names);
    Error::try_again(format!("host {} is taken by another container ({names})", describe(wanted))).because(
        format!(
            "it holds {}; remove that container, or give one of them another hostPort or hostIP",
            describe(taken)
        ),
    )
}
