//! Everything put together.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::path::Path;
use std::thread;

use cni_part::Host;
use cni_types::{AttachmentId, NetworkName};

use super::judge::{self, Judge};
use super::leased::{self, Lease};
use super::owner::{named_by, prefix_of};
use super::reserved::{self, Reservation};
use super::{Attachment, LEASED, RESERVED, State, Thing, held};
use crate::cache::{Cache, Entry};
use crate::conflist::{NetworkList, dir};
use crate::kernel::{Namespace, Place, places, read_all};

/// What this node has.
#[derive(Debug)]
pub(crate) struct Survey {
    /// By network, container and interface.
    pub(crate) attachments: Vec<Attachment>,
    /// The networks that are configured, or were when an attachment in the cache was made.
    pub(crate) networks: BTreeMap<NetworkName, NetworkList>,
    /// The node's own namespace.
    pub(crate) host: Namespace,
    /// What could not be looked at, and why.
    pub(crate) missing: Vec<String>,
}

impl Survey {
    /// Looks at everything. What cannot be read is in [`Survey::missing`], and what depends on it is [`State::Unknown`].
    pub(crate) fn take(cache: &Cache, net_dir: &Path) -> Self {
        let mut missing = Vec::new();
        let host = Namespace::read().unwrap_or_else(|e| {
            missing.push(format!("the links of this namespace: {e}"));
            Namespace::default()
        });
        let (namespaces, entries) = thread::scope(|scope| {
            let reading = scope.spawn(|| {
                let mut missing = Vec::new();
                (namespaces(places(&mut missing), &mut missing), missing)
            });
            let entries = cache.entries();
            (reading.join().unwrap_or_else(|panic| resume_unwind(panic)), entries)
        });
        let (namespaces, unread) = namespaces;
        missing.extend(unread);
        let (entries, has_cache) = match entries {
            Ok(entries) => (entries, true),
            Err(e) => {
                missing.push(format!("the result cache: {e}"));
                (Vec::new(), false)
            }
        };
        let networks = networks(&entries, net_dir, &mut missing);
        let mut join = Join::default();
        join.entries(entries);
        join.tagged(&host, &namespaces);
        join.held(&networks, &mut missing);
        let mut attachments = join.finish();
        let judge = Judge {
            host: &host,
            namespaces: &namespaces,
            by_inode: namespaces.iter().map(|(place, namespace)| (place.inode, namespace)).collect(),
            ends: judge::ends(&host),
            networks: &networks,
            has_cache,
            is_whole: missing.is_empty(),
            nat: OnceCell::new(),
        };
        attachments.iter_mut().for_each(|attachment| judge.judge(attachment));
        if let Some(Err(why)) = judge.nat.get() {
            missing.push(format!("the masquerade of iptables: {why}"));
        }
        Self { attachments, networks, host, missing }
    }

    /// Those of one network.
    pub(crate) fn of(&self, network: &str) -> impl Iterator<Item = &Attachment> {
        self.attachments
            .iter()
            .filter(move |a| a.network.as_ref().is_some_and(|name| name.as_str() == network))
    }
}

/// As configured; of a network that is not, as it was when its last attachment was made.
fn networks(
    entries: &[Entry],
    net_dir: &Path,
    missing: &mut Vec<String>,
) -> BTreeMap<NetworkName, NetworkList> {
    let kept = entries.iter().filter_map(|entry| entry.kept.as_ref().ok());
    let mut networks: BTreeMap<_, _> = kept.map(|kept| (kept.list.name.clone(), kept.list.clone())).collect();
    let names = dir::names(net_dir).unwrap_or_else(|e| {
        missing.push(format!("the network configurations: {e}"));
        BTreeSet::new()
    });
    for name in names {
        match dir::find_network(net_dir, &name) {
            Ok(list) => drop(networks.insert(list.name.clone(), list)),
            Err(e) => missing.push(format!("network {name}: {e}")),
        }
    }
    networks
}

fn namespaces(places: Vec<Place>, missing: &mut Vec<String>) -> Vec<(Place, Namespace)> {
    let read = read_all(&places);
    let mut namespaces = Vec::new();
    for (place, namespace) in places.into_iter().zip(read) {
        match namespace {
            Ok(namespace) => namespaces.push((place, namespace)),
            // It has ended meanwhile.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => missing.push(format!("the namespace {}: {e}", place.path.display())),
        }
    }
    namespaces
}

/// The attachments as they are found, by owner.
#[derive(Default)]
struct Join {
    by_owner: BTreeMap<String, Attachment>,
    /// Files and reservations that name no owner.
    others: Vec<Attachment>,
    unread: Vec<Entry>,
    names: BTreeSet<NetworkName>,
}

impl Join {
    fn entries(&mut self, entries: Vec<Entry>) {
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

    /// Links say whose they are, also those of networks that nobody knows any more. What only a process is in may be of
    /// another node that runs in here.
    fn tagged(&mut self, host: &Namespace, namespaces: &[(Place, Namespace)]) {
        let ours = namespaces.iter().filter(|(place, _)| place.is_mounted);
        let all = ours.map(|(_, namespace)| namespace).chain([host]);
        let ids =
            all.flat_map(|namespace| &namespace.links).filter_map(|link| named_by(link.alias.as_ref()?));
        for id in ids.collect::<Vec<_>>() {
            self.of_id(&id);
        }
    }

    fn held(&mut self, networks: &BTreeMap<NetworkName, NetworkList>, missing: &mut Vec<String>) {
        self.names.extend(networks.keys().cloned());
        self.names.extend(reserved::networks());
        let host = Host::new();
        for name in self.names.clone() {
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
            for reservation in reserved::reservations(&name, list, missing) {
                self.reserved(&name, reservation);
            }
        }
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
    fn finish(mut self) -> Vec<Attachment> {
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
