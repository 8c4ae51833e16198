//! The sets and their elements, as the kernel has them.

use std::net::IpAddr;

use cni_types::{Family, IfName, NetworkName, Result, ip_octets, network_tag_prefix};

use super::layout::TABLE;
use cni_filter::nft::{OwnedElement, Set, Socket};

/// The sets of addresses.
pub(super) const POD_SETS: [&str; 2] = ["pods4", "pods6"];
/// The bridges with an ingress policy.
pub(super) const BRIDGES: &str = "bridges";
/// Those of them whose containers are isolated from each other.
pub(super) const ISOLATED: &str = "isolated";

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
pub(super) fn locate(socket: &Socket, ips: &[IpAddr]) -> Result<Vec<OwnedElement>> {
    let place = |&ip| pod_key(ip);
    let places = ips.iter().map(place).map(|(name, key)| (name.to_owned(), key));
    OwnedElement::locate(socket, TABLE, places.collect())
}

/// All addresses whose comment satisfies `matches`.
pub(super) fn list(socket: &Socket, matches: &dyn Fn(&str) -> bool) -> Result<Vec<OwnedElement>> {
    OwnedElement::list(socket, TABLE, POD_SETS.map(str::to_owned), matches)
}

/// The comment of the element with this key; `None` when there is none.
pub(super) fn owner_of(socket: &Socket, name: &str, key: &[u8]) -> Result<Option<String>> {
    let found = OwnedElement::locate(socket, TABLE, vec![(name.to_owned(), key.to_vec())])?.pop();
    Ok(found.map(|found| found.owner))
}
