//! The elements of pod addresses, as the kernel has them.

use std::net::IpAddr;

use cni_types::Result;

use super::{PODS, TABLE};
use crate::nft::{ByPrefix, Element, Request, Set, Socket};

/// An element the kernel has.
pub(super) struct PodElement {
    pub(super) set: ByPrefix,
    pub(super) key: Vec<u8>,
    pub(super) owner: String,
}

impl PodElement {
    pub(super) fn remove(&self) -> Request {
        Element::new(&self.key).remove(Set { table: TABLE, name: &self.set.name() })
    }
}

/// The sets that are there: a few, one per prefix length.
pub(super) fn sets(socket: &Socket) -> Result<Vec<ByPrefix>> {
    let answers = socket.dump(&Set::list(TABLE))?;
    Ok(answers
        .iter()
        .filter_map(|answer| Set::read_name(answer).and_then(|name| ByPrefix::parse(PODS, name)))
        .collect())
}

/// The elements of these addresses, whoever owns them, by key.
pub(super) fn locate(socket: &Socket, sets: &[ByPrefix], ips: &[IpAddr]) -> Result<Vec<PodElement>> {
    let place = |set: &ByPrefix, ip| Some((*set, ByPrefix::key(ip, set.network(ip)?)));
    let keys: Vec<(ByPrefix, Vec<u8>)> =
        sets.iter().flat_map(|set| ips.iter().filter_map(|&ip| place(set, ip))).collect();
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let asked =
        |(set, key): &(ByPrefix, Vec<u8>)| Element::new(key).find(Set { table: TABLE, name: &set.name() });
    let answers = socket.ask(&keys.iter().map(asked).collect::<Vec<_>>())?;
    let mut found = Vec::new();
    for ((set, key), answer) in keys.into_iter().zip(answers) {
        let Some(answer) = answer else { continue };
        let owner = Element::read(&answer).find_map(|element| element.comment).unwrap_or("").to_owned();
        found.push(PodElement { set, key, owner });
    }
    Ok(found)
}

/// All elements whose comment satisfies `matches`.
pub(super) fn list(
    socket: &Socket,
    sets: &[ByPrefix],
    matches: &dyn Fn(&str) -> bool,
) -> Result<Vec<PodElement>> {
    let mut found = Vec::new();
    for &set in sets {
        for answer in socket.dump(&Element::list(Set { table: TABLE, name: &set.name() }))? {
            for element in Element::read(&answer) {
                if let Some(owner) = element.comment.filter(|comment| matches(comment)) {
                    found.push(PodElement { set, key: element.key.to_vec(), owner: owner.to_owned() });
                }
            }
        }
    }
    Ok(found)
}
