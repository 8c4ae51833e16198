//! Our nftables layout: four sets, and as many rules whatever is in them. The key of an address is itself, that of a
//! bridge its name twice; the comment is the owner's tag.
//!
//! No look-up can tell two names from each other, but a pair of the same name twice can be looked up: that is what the
//! keys of the bridges are. An element belongs to one owner, as in the masquerade's layout.

mod element;
mod layout;

use std::net::IpAddr;

use cni_types::{AttachmentId, Result, Stale, ip_from_octets};

use super::policy::{Ingress, Policy};
use cni_filter::nft::{Element, OwnedElement, Socket};
use element::{BRIDGES, ISOLATED, bridge_key, bridge_owner, list, locate, owner_of, pod_key, set};
use layout::TABLE;

pub use layout::declaration;
pub(super) use layout::trial;

/// Sees to it that each address and the bridge have their elements.
pub(super) fn add(socket: &Socket, id: &AttachmentId, policy: &Policy) -> Result<()> {
    let tag = id.tag();
    socket.transact(|socket| {
        let mut batch = layout::missing(socket, &policy.admin)?;
        let found = locate(socket, &policy.ips)?;
        for &ip in &policy.ips {
            let (name, key) = pod_key(ip);
            let element = Element::new(&key).comment(&tag);
            match found.iter().find(|found| found.set == name && found.key == key) {
                Some(found) if found.owner == tag => {}
                Some(found) => batch.extend([found.remove(TABLE), element.add(set(name))]),
                None => batch.push(element.add(set(name))),
            }
        }
        if let Some(isolation) = &policy.isolation {
            let owner = bridge_owner(&id.network);
            let key = bridge_key(&isolation.bridge);
            let element = Element::new(&key).comment(&owner);
            let isolated = owner_of(socket, ISOLATED, &key)?;
            if owner_of(socket, BRIDGES, &key)?.is_none() {
                batch.push(element.add(set(BRIDGES)));
            }
            match (isolation.ingress, isolated) {
                (Ingress::Isolated, None) => batch.push(element.add(set(ISOLATED))),
                // The network thinks otherwise now. Another network may insist.
                (Ingress::SameBridge, Some(found)) if found == owner => {
                    batch.push(Element::new(&key).remove(set(ISOLATED)));
                }
                _ => {}
            }
        }
        Ok(batch)
    })
}

/// Removes the elements whose owner satisfies `matches`: by key if the addresses are `known`, else by looking at each.
pub(super) fn remove(
    socket: &Socket,
    matches: &dyn Fn(&str) -> bool,
    known: Option<&[IpAddr]>,
) -> Result<()> {
    OwnedElement::sweep(socket, TABLE, matches, &|socket| match known {
        Some(ips) => locate(socket, ips),
        None => list(socket, matches),
    })
}

/// The owners and addresses of the elements that belong to `owners`.
pub(super) fn held(socket: &Socket, owners: &Stale<'_>) -> Result<Vec<(String, String)>> {
    let found = list(socket, &|comment| owners.includes(comment))?.into_iter();
    Ok(found.filter_map(|found| Some((found.owner, ip_from_octets(&found.key)?.to_string()))).collect())
}

/// What is missing, in words; empty if nothing is.
pub(super) fn missing(socket: &Socket, id: &AttachmentId, policy: &Policy) -> Result<Vec<String>> {
    let owner = id.tag_prefix();
    let mut missing = layout::deviations(socket, &policy.admin)?;
    let found = locate(socket, &policy.ips)?;
    for &ip in &policy.ips {
        let (name, key) = pod_key(ip);
        let found = found.iter().find(|found| found.set == name && found.key == key);
        missing.extend(OwnedElement::deviation(found, set(name), ip, &owner));
    }
    if let Some(isolation) = &policy.isolation {
        let key = bridge_key(&isolation.bridge);
        let names =
            if isolation.ingress == Ingress::Isolated { &[BRIDGES, ISOLATED][..] } else { &[BRIDGES] };
        for name in names {
            if owner_of(socket, name, &key)?.is_none() {
                missing.push(format!("set {} has no element for bridge {}", set(name), isolation.bridge));
            }
        }
    }
    Ok(missing)
}
