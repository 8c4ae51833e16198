//! What was found of each attachment, put together by owner.

use std::collections::{BTreeMap, BTreeSet};

use cni_part::Host;
use cni_types::{AttachmentId, NetworkName};

use super::leased::{self, Lease};
use super::owner::{named_by, prefix_of};
use super::reserved::{self, Reservation};
use super::{Attachment, LEASED, RESERVED, State, Thing, held};
use crate::cache::Entry;
use crate::conflist::NetworkList;
use crate::kernel::Namespace;

/// The attachments as they are found, by owner.
#[derive(Default)]
pub(super) struct Join {
    by_owner: BTreeMap<String, Attachment>,
    /// Files and reservations that name no owner.
    others: Vec<Attachment>,
    unread: Vec<Entry>,
    /// Some name no interface: they are given out when all attachments are known.
    reservations: Vec<(NetworkName, Reservation)>,
    /// The networks that something is of.
    names: BTreeSet<NetworkName>,
    /// Those of them that were asked for what they hold.
    asked: BTreeSet<NetworkName>,
}

impl Join {
    pub(super) fn entries(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            match entry.kept {
                Ok(kept) => {
                    let attachment = self.of_id(&kept.id.clone());
                    attachment.file = Some(entry.file);
                    attachment.kept = Some(kept);
                }
                Err(_) => self.unread.push(entry),
            }
        }
    }

    fn of_id(&mut self, id: &AttachmentId) -> &mut Attachment {
        self.names.insert(id.network.clone());
        let attachment = self.of_owner(id.tag_prefix());
        attachment.network = Some(id.network.clone());
        attachment.id = Some(id.clone());
        attachment
    }

    fn of_owner(&mut self, owner: String) -> &mut Attachment {
        let new = || Attachment::new(Some(owner.clone()));
        self.by_owner.entry(owner.clone()).or_insert_with(new)
    }

    /// Links say whose they are, also those of networks that nobody knows any more.
    pub(super) fn tagged<'a>(&mut self, namespaces: impl IntoIterator<Item = &'a Namespace>) {
        let links = namespaces.into_iter().flat_map(|namespace| &namespace.links);
        for id in links.filter_map(|link| named_by(link.alias.as_ref()?)) {
            self.of_id(&id);
        }
    }

    /// What the networks hold that were not asked yet.
    pub(super) fn held(&mut self, networks: &BTreeMap<NetworkName, NetworkList>, missing: &mut Vec<String>) {
        self.names.extend(networks.keys().cloned().chain(reserved::networks()));
        let host = Host::new();
        let new: Vec<_> = self.names.difference(&self.asked).cloned().collect();
        self.asked.extend(new.iter().cloned());
        for name in new {
            let list = networks.get(&name);
            for (tag, thing) in held::of_network(&host, &name, list, missing) {
                let Some(owner) = prefix_of(&tag) else { continue };
                let attachment = match named_by(&tag) {
                    Some(id) => self.of_id(&id),
                    None => self.of_owner(owner.to_owned()),
                };
                attachment.network.get_or_insert_with(|| name.clone());
                attachment.held.push(thing);
            }
            let found = reserved::reservations(&name, list, missing);
            self.reservations.extend(found.into_iter().map(|reservation| (name.clone(), reservation)));
        }
    }

    pub(super) fn leased(
        &mut self,
        networks: &BTreeMap<NetworkName, NetworkList>,
        missing: &mut Vec<String>,
    ) {
        for Lease { id, address } in leased::leases(networks, missing) {
            let lease = Thing { part: LEASED.into(), what: address.to_string(), is_on_record: false };
            self.of_id(&id).held.push(lease);
        }
    }

    fn reserved(&mut self, network: &NetworkName, found: Reservation) {
        let thing = Thing { part: RESERVED.into(), what: found.ip.to_string(), is_on_record: false };
        if let Some(ifname) = found.ifname {
            let id = AttachmentId { network: network.clone(), container_id: found.container_id, ifname };
            return self.of_id(&id).held.push(thing);
        }
        let is_its = |a: &&mut Attachment| {
            a.id.as_ref().is_some_and(|id| id.network == *network && id.container_id == found.container_id)
        };
        match self.by_owner.values_mut().find(is_its) {
            Some(attachment) => attachment.held.push(thing),
            None => {
                let new = Attachment::new(None);
                self.others.push(Attachment { network: Some(network.clone()), held: vec![thing], ..new });
            }
        }
    }

    /// A file that cannot be read is that of the attachment whose name it has, or one of its own.
    pub(super) fn finish(mut self) -> Vec<Attachment> {
        for (network, reservation) in std::mem::take(&mut self.reservations) {
            self.reserved(&network, reservation);
        }
        for entry in self.unread {
            let Err(why) = entry.kept.as_ref() else { continue };
            let why =
                State::Damaged(format!("its cache file {} cannot be used: {why}", entry.file.display()));
            let named = |a: &&mut Attachment| a.id.as_ref().is_some_and(|id| entry.is_named_after(id));
            match self.by_owner.values_mut().find(named) {
                Some(attachment) => (attachment.file, attachment.state) = (Some(entry.file), why),
                None => {
                    let new = Attachment::new(None);
                    self.others.push(Attachment { file: Some(entry.file), state: why, ..new });
                }
            }
        }
        let mut all: Vec<_> = self.by_owner.into_values().chain(self.others).collect();
        all.iter_mut().for_each(|attachment| attachment.held.sort());
        all.sort_by_cached_key(Attachment::order);
        all
    }
}
