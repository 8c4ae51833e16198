//! Our nftables layout: four sets, and as many rules whatever is in them. The key of an address is itself, that of a bridge
//! its name twice; the comment is the owner's tag.
//!
//! No look-up can tell two names from each other, but a pair of the same name twice can be looked up: that is what the
//! keys of the bridges are. An element belongs to one owner, as in the masquerade's layout.

mod element;
mod layout;

use std::net::IpAddr;

use cni_types::{AttachmentId, NetworkName, Result, Stale, ip_from_octets};

use super::policy::{Ingress, Policy};
use cni_filter::nft::{Batch, Element, Socket};
use element::{BRIDGES, Found, ISOLATED, bridge_key, bridge_owner, list, locate, owner_of, pod_key, set};

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
                Some(found) => batch.extend([found.remove(), element.add(set(name))]),
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

/// Removes the attachment's elements: by key if its addresses are `known`, else by looking at every element.
pub(super) fn remove(socket: &Socket, id: &AttachmentId, known: Option<&[IpAddr]>) -> Result<()> {
    let owner = id.tag_prefix();
    socket.transact(|socket| {
        let mut found = match known {
            Some(ips) => locate(socket, ips)?,
            None => list(socket, &|comment| comment.starts_with(&owner))?,
        };
        found.retain(|element| element.owner.starts_with(&owner));
        let mut batch = Batch::new();
        batch.extend(found.iter().map(Found::remove));
        Ok(batch)
    })
}

/// Removes the elements of the network's attachments that are not in `valid`.
pub(super) fn collect(socket: &Socket, network: &NetworkName, valid: &[AttachmentId]) -> Result<()> {
    let stale = Stale::new(network, valid);
    socket.transact(|socket| {
        let stale = |comment: &str| stale.includes(comment);
        let mut batch = Batch::new();
        batch.extend(list(socket, &stale)?.iter().map(Found::remove));
        Ok(batch)
    })
}

/// The owners and addresses of the elements that belong to `owners`.
pub(super) fn held(socket: &Socket, owners: &Stale) -> Result<Vec<(String, String)>> {
    let found = list(socket, &|comment| owners.includes(comment))?;
    Ok(found
        .into_iter()
        .filter_map(|found| Some((found.owner, ip_from_octets(&found.key)?.to_string())))
        .collect())
}

/// What is missing, in words; empty if nothing is.
pub(super) fn missing(socket: &Socket, id: &AttachmentId, policy: &Policy) -> Result<Vec<String>> {
    let owner = id.tag_prefix();
    let mut missing = layout::deviations(socket, &policy.admin)?;
    let found = locate(socket, &policy.ips)?;
    for &ip in &policy.ips {
        let (name, key) = pod_key(ip);
        match found.iter().find(|found| found.set == name && found.key == key) {
            None => missing.push(format!("set {} has no element for {ip}", set(name))),
            Some(found) if !found.owner.starts_with(&owner) => missing.push(format!(
                "the element for {ip} in set {} belongs to another attachment ({})",
                set(name),
                found.owner
            )),
            Some(_) => {}
        }
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
