//! Elements that belong to somebody: their comment is the owner's tag.

use std::net::IpAddr;

use cni_types::Result;

use super::{Batch, Element, Request, Set, Socket, Table};

/// One that the kernel has.
pub struct OwnedElement {
    /// The name of its set.
    pub set: String,
    /// Its key.
    pub key: Vec<u8>,
    /// Its comment.
    pub owner: String,
}

impl OwnedElement {
    /// The elements with these keys in these sets, whoever owns them.
    ///
    /// # Errors
    /// Code 101 when the kernel refuses to say.
    pub fn locate(socket: &Socket, table: Table<'_>, places: Vec<(String, Vec<u8>)>) -> Result<Vec<Self>> {
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let asked = |(name, key): &(String, Vec<u8>)| Element::new(key).find(Set { table, name });
        let answers = socket.ask(&places.iter().map(asked).collect::<Vec<_>>())?;
        let mut found = Vec::new();
        for ((set, key), answer) in places.into_iter().zip(answers) {
            let Some(answer) = answer else { continue };
            let owner = Element::read(&answer).find_map(|element| element.comment).unwrap_or("").to_owned();
            found.push(Self { set, key, owner });
        }
        Ok(found)
    }

    /// All in these sets whose owner satisfies `matches`.
    ///
    /// # Errors
    /// As [`Self::locate`].
    pub fn list(
        socket: &Socket,
        table: Table<'_>,
        sets: impl IntoIterator<Item = String>,
        matches: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<Self>> {
        let mut found = Vec::new();
        for set in sets {
            for answer in socket.dump(&Element::list(Set { table, name: &set }))?.iter() {
                let owned = Element::read(answer).filter_map(|element| Some((element.key, element.comment?)));
                let owned = owned.filter(|(_, owner)| matches(owner));
                found.extend(owned.map(|(key, owner)| Self {
                    set: set.clone(),
                    key: key.to_vec(),
                    owner: owner.to_owned(),
                }));
            }
        }
        Ok(found)
    }

    /// What removes it.
    pub fn remove(&self, table: Table<'_>) -> Request {
        Element::new(&self.key).remove(Set { table, name: &self.set })
    }

    /// Removes those of the elements that `find` finds whose owner satisfies `matches`, from the ruleset they were found in.
    ///
    /// # Errors
    /// Code 101 when the kernel refuses.
    pub fn sweep(
        socket: &Socket,
        table: Table<'_>,
        matches: &dyn Fn(&str) -> bool,
        find: &dyn Fn(&Socket) -> Result<Vec<Self>>,
    ) -> Result<()> {
        socket.transact(|socket| {
            let found = find(socket)?;
            Ok(Batch::of(found.iter().filter(|found| matches(&found.owner)).map(|found| found.remove(table))))
        })
    }

    /// What is wrong with what was found for an address that is to belong to who has `tag`, in words.
    pub fn deviation(found: Option<&Self>, set: Set<'_>, ip: IpAddr, tag: &str) -> Option<String> {
        match found {
            None => Some(format!("set {set} has no element for {ip}")),
            Some(found) if !found.owner.starts_with(tag) => Some(format!(
                "the element for {ip} in set {set} belongs to another attachment ({})",
                found.owner
            )),
            Some(_) => None,
        }
    }
}
