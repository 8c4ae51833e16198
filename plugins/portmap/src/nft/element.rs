//! Elements: where they are, what they hold, whose they are.

use std::net::IpAddr;

use cni_filter::nft::{Batch, ByPrefix, COMMENT_MAX, Element, Set};
use cni_types::{AttachmentId, Words};

use super::map::Map;
use super::names::TABLE;
use super::port;
use crate::flows::Gone;
use crate::mapping::{Ports, Protocol};

/// An element the kernel has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HeldElement {
    pub(super) place: Place,
    pub(super) value: Vec<u8>,
    pub(super) comment: String,
}

/// Which element.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Port(Map, Ports),
    Source(ByPrefix, Vec<u8>),
}

impl Place {
    pub(super) fn set(&self) -> String {
        match self {
            Self::Port(map, _) => map.name(),
            Self::Source(set, _) => set.name(),
        }
    }

    fn element(&self) -> Element {
        match self {
            Self::Port(map, ports) => ports.element(map.ranges),
            Self::Source(_, key) => Element::new(key),
        }
    }
}

impl HeldElement {
    /// Where a mapping that goes led to.
    pub(super) fn gone(&self) -> Option<Gone> {
        let Place::Port(map, ports) = &self.place else { return None };
        let target = port::read_value(&self.value, map.family)?;
        let (first, last) =
            if map.ranges { (ports.first, ports.last) } else { (target.port(), target.port()) };
        Some(Gone { protocol: ports.protocol, ip: target.ip(), first, last })
    }

    /// The address it leads to, or masquerades for.
    pub(super) fn container(&self) -> Option<IpAddr> {
        match &self.place {
            Place::Port(map, _) => port::read_value(&self.value, map.family).map(|target| target.ip()),
            Place::Source(set, key) => set.address(key),
        }
    }

    /// The attachment.
    pub(super) fn owner(&self) -> &str {
        owner_of(&self.comment)
    }

    /// The container's id, as far as the comment has it.
    pub(super) fn container_id(&self) -> &str {
        self.comment.split_once(", id: ").map_or("", |(_, id)| id)
    }

    /// Its layer; sources have only one.
    pub(super) fn layer(&self) -> u8 {
        if let Place::Port(map, _) = &self.place { map.layer } else { 1 }
    }

    /// The same in another layer.
    pub(super) fn moved_to(&self, layer: u8) -> Self {
        let mut moved = self.clone();
        if let Place::Port(map, _) = &mut moved.place {
            map.layer = layer;
        }
        moved
    }

    fn write(&self) -> Element {
        let element = self.place.element();
        let element = if self.value.is_empty() { element } else { element.value(&self.value) };
        element.comment(&self.comment)
    }
}

/// The comment of an attachment's elements: its tag, with their number behind the hashes.
pub(super) fn comment(id: &AttachmentId, count: usize) -> String {
    let mut comment = id.tag().replacen(',', &format!(" {count},"), 1);
    let end = (0..=COMMENT_MAX).rev().find(|&at| comment.is_char_boundary(at)).unwrap_or(0);
    comment.truncate(end);
    comment
}

/// The hashes of the owner in a comment.
pub(super) fn owner_of(comment: &str) -> &str {
    comment.split([' ', ',']).next().unwrap_or_default()
}

/// How many elements the owner has.
pub(super) fn count_of(comment: &str) -> Option<usize> {
    comment.split_once(' ')?.1.split_once(',')?.0.parse().ok()
}

/// Adds elements.
pub(super) fn add<'a>(batch: &mut Batch, new: impl IntoIterator<Item = &'a HeldElement>) {
    let mut of_set = BySet::default();
    for held in new {
        of_set.push(held.place.set(), held.write());
    }
    for (name, elements) in &of_set.0 {
        batch.extend(Element::add_all(elements, Set { table: TABLE, name }));
    }
}

/// Removes elements.
pub(super) fn erase<'a>(batch: &mut Batch, held: impl IntoIterator<Item = &'a HeldElement>) {
    let mut of_set = BySet::default();
    for held in held {
        of_set.push(held.place.set(), held.place.element());
    }
    for (name, elements) in &of_set.0 {
        batch.extend(Element::remove_all(elements, Set { table: TABLE, name }));
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

pub(super) fn describe(ports: &Ports) -> String {
    let protocol =
        Protocol::ALL.iter().copied().find(|p| *p as u8 == ports.protocol).map_or("?", Protocol::word);
    let last = if ports.is_range() { format!("-{}", ports.last) } else { String::new() };
    let ip = ports.host_ip.map(|ip| format!(" of {ip}")).unwrap_or_default();
    format!("port {}{last}/{protocol}{ip}", ports.first)
}
