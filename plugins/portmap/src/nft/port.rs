//! Ports of the host as map elements: which key, which value.

use std::net::{IpAddr, SocketAddr};

use cni_filter::nft::Element;
use cni_types::{Family, ip_from_octets, ip_octets, sort_by};

use super::map::Map;
use crate::mapping::{Mapping, Ports};

/// From how many contiguous ports on, mapped to the same ports of the container, one interval stands for all of them.
/// Below that, single elements are cheaper: the kernel copies a map of intervals on every change.
const RANGE_MIN: usize = 64;

impl Ports {
    pub(super) fn is_range(&self) -> bool {
        self.first != self.last
    }

    pub(super) fn overlaps(&self, other: &Self) -> bool {
        (self.host_ip, self.protocol) == (other.host_ip, other.protocol)
            && self.first <= other.last
            && other.first <= self.last
    }

    pub(super) fn map(&self, family: Family, class: &str, layer: u8) -> Map {
        let class = class.to_owned();
        Map { family, by_host_ip: self.host_ip.is_some(), ranges: self.is_range(), class, layer }
    }

    /// The key of one port.
    pub(super) fn key(&self, port: u16) -> Vec<u8> {
        let mut key = self.host_ip.map(ip_octets).unwrap_or_default();
        key.extend([self.protocol, 0, 0, 0]);
        key.extend(padded(port));
        key
    }

    /// The element's keys, without its value.
    pub(super) fn element(&self, ranges: bool) -> Element {
        if ranges {
            Element::range(&self.key(self.first), &self.key(self.last))
        } else {
            Element::new(&self.key(self.first))
        }
    }

    /// Reads an element's keys.
    pub(super) fn read(map: &Map, key: &[u8], last: Option<&[u8]>) -> Option<Self> {
        let length = if map.by_host_ip { map.family.octets().into() } else { 0 };
        let (ip, rest) = key.split_at_checked(length)?;
        let port = |key: &[u8]| Some(u16::from_be_bytes([*key.get(length + 4)?, *key.get(length + 5)?]));
        let first = port(key)?;
        let last = last.map_or(Some(first), port)?;
        Some(Self { host_ip: ip_from_octets(ip), protocol: *rest.first()?, first, last })
    }
}

/// What mappings of one family become, in the order of the maps.
pub(super) fn plan(mappings: &[Mapping], ip: IpAddr) -> Vec<(Ports, SocketAddr)> {
    let mut single: Vec<(Ports, usize)> = mappings
        .iter()
        .filter(|mapping| mapping.is_for(Family::of(ip)))
        .map(|m| {
            let (port, protocol) = (m.host_port, m.protocol as u8);
            (Ports { host_ip: m.host_ip(), protocol, first: port, last: port }, usize::from(m.container_port))
        })
        .collect();
    sort_by(&mut single, |a, b| a < b);
    let mut plan = Vec::new();
    let mut rest = single.as_slice();
    while let Some((head, target)) = rest.first() {
        let follows = |at: usize| {
            rest.get(at).is_some_and(|(ports, target)| {
                (ports.host_ip, ports.protocol) == (head.host_ip, head.protocol)
                    && usize::from(ports.first) == usize::from(head.first) + at
                    && *target == usize::from(ports.first)
            })
        };
        let length = (0..).take_while(|&at| follows(at)).count();
        if length >= RANGE_MIN {
            let last = rest[length - 1].0.last;
            plan.push((Ports { last, ..*head }, SocketAddr::new(ip, 0)));
            rest = &rest[length..];
        } else {
            plan.push((*head, SocketAddr::new(ip, u16::try_from(*target).unwrap_or_default())));
            rest = &rest[1..];
        }
    }
    plan
}

/// An element's value: the address, and the port unless it is kept.
pub(super) fn value(target: SocketAddr, ranges: bool) -> Vec<u8> {
    let mut value = ip_octets(target.ip());
    if !ranges {
        value.extend(padded(target.port()));
    }
    value
}

/// Reads an element's value; port 0 means that it is kept.
pub(super) fn read_value(value: &[u8], family: Family) -> Option<SocketAddr> {
    let (ip, port) = value.split_at_checked(family.octets().into())?;
    let port = port.first_chunk().map_or(0, |bytes: &[u8; 2]| u16::from_be_bytes(*bytes));
    Some(SocketAddr::new(ip_from_octets(ip)?, port))
}

fn padded(port: u16) -> [u8; 4] {
    let [high, low] = port.to_be_bytes();
    [high, low, 0, 0]
}
