//! The sets and their elements, as the kernel has them.

use std::net::IpAddr;

use cni_types::{Family, IfName, NetworkName, Result, ip_octets, network_tag_prefix};

use super::layout::TABLE;
use cni_filter::nft::{Element, Request, Set, Socket};

/// The sets of addresses.
pub(super) const POD_SETS: [&str; 2] = ["pods4", "pods6"];
/// The bridges with an ingress policy.
pub(super) const BRIDGES: &str = "bridges";
/// Those of them whose containers are isolated from each other.
pub(super) const ISOLATED: &str = "isolated";

/// An address the kernel has.
pub(super) struct Found {
    pub(super) set: &'static str,
    pub(super) key: Vec<u8>,
    pub(super) owner: String,
}

impl Found {
    pub(super) fn remove(&self) -> Request {
        Element::new(&self.key).remove(set(self.set))
    }
}

pub(super) fn set(name: &str) -> Set<'_> {
    Set { table: TABLE, name }
}

/// The set an address belongs in, and its key there.
pub(super) fn pod_key(ip: IpAddr) -> (&'static str, Vec<u8>) {
    (POD_SETS[Family::of(ip)], ip_octets(ip))
}

/// The bridge's name twice, each in 16 bytes padded with NULs.
pub(super) fn bridge_key(bridge: &IfName) -> [u8; 32] {
    let mut key = [0; 32];
    for half in key.chunks_mut(16) {
        let name = bridge.as_str().as_bytes();
        half[..name.len()].copy_from_slice(name);
    }
    key
}

/// Who gave a bridge its policy.
pub(super) fn bridge_owner(network: &NetworkName) -> String {
    format!("{}, net: {network}", network_tag_prefix(network))
}

/// The elements of these addresses, whoever owns them, by key.
pub(super) fn locate(socket: &Socket, ips: &[IpAddr]) -> Result<Vec<Found>> {
    let keys: Vec<_> = ips.iter().map(|&ip| pod_key(ip)).collect();
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let requests: Vec<Request> = keys.iter().map(|(name, key)| Element::new(key).find(set(name))).collect();
    let mut found = Vec::new();
    for ((set, key), answer) in keys.into_iter().zip(socket.ask(&requests)?) {
        let Some(answer) = answer else { continue };
        let owner = Element::read(&answer).find_map(|element| element.comment).unwrap_or("").to_owned();
        found.push(Found { set, key, owner });
    }
    Ok(found)
}

/// All addresses whose comment satisfies `matches`.
pub(super) fn list(socket: &Socket, matches: &dyn Fn(&str) -> bool) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    for name in POD_SETS {
        for answer in socket.dump(&Element::list(set(name)))? {
            for element in Element::read(&answer) {
                if let Some(owner) = element.comment.filter(|comment| matches(comment)) {
                    found.push(Found { set: name, key: element.key.to_vec(), owner: owner.to_owned() });
                }
            }
        }
    }
    Ok(found)
}

/// The comment of the element with this key; `None` when there is none.
pub(super) fn owner_of(socket: &Socket, name: &str, key: &[u8]) -> Result<Option<String>> {
    let answer = socket.ask(&[Element::new(key).find(set(name))])?.pop().flatten();
    let owner =
        |answer: Vec<u8>| Element::read(&answer).find_map(|element| element.comment).unwrap_or("").to_owned();
    Ok(answer.map(owner))
}
