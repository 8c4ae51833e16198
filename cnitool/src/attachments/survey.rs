//! Everything put together.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::path::Path;
use std::thread;

use cni_types::NetworkName;

use super::Attachment;
use super::join::Join;
use super::judge::{self, Judge};
use crate::cache::{Cache, Entry};
use crate::conflist::{NetworkList, dir};
use crate::kernel::{Namespace, Place, places, port_vlans, read_all};

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
    /// Looks at everything. What cannot be read is in [`Survey::missing`], and what depends on it is
    /// [`State::Unknown`].
    pub(crate) fn take(cache: &Cache, net_dir: &Path) -> Self {
        let mut missing = Vec::new();
        let host = Namespace::read().unwrap_or_else(|e| {
            missing.push(format!("the links of this namespace: {e}"));
            Namespace::default()
        });
        let mut join = Join::default();
        // What the host has of the networks that it knows is looked at while the namespaces are read.
        let (namespaces, networks, has_cache) = thread::scope(|scope| {
            let reading = scope.spawn(|| {
                let mut missing = Vec::new();
                (namespaces(places(&mut missing), &mut missing), missing)
            });
            let (entries, has_cache) = match cache.entries() {
                Ok(entries) => (entries, true),
                Err(e) => {
                    missing.push(format!("the result cache: {e}"));
                    (Vec::new(), false)
                }
            };
            let networks = networks(&entries, net_dir, &mut missing);
            join.entries(entries);
            join.tagged([&host]);
            join.held(&networks, &mut missing);
            join.leased(&networks, &mut missing);
            let (namespaces, unread) = reading.join().unwrap_or_else(|panic| resume_unwind(panic));
            missing.extend(unread);
            (namespaces, networks, has_cache)
        });
        // What only a process is in may be of another node that runs in here.
        let mounted = namespaces.iter().filter(|(place, _)| place.is_mounted);
        join.tagged(mounted.map(|(_, namespace)| namespace));
        join.held(&networks, &mut missing);
        let mut attachments = join.finish();
        let port_vlans = of_ports(&host, &mut missing);
        let judge = Judge {
            host: &host,
            namespaces: &namespaces,
            by_inode: namespaces.iter().map(|(place, namespace)| (place.inode, namespace)).collect(),
            ends: judge::ends(&host),
            port_vlans,
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
    let last: BTreeMap<_, _> = kept.map(|kept| (&kept.list.name, &kept.list)).collect();
    let lists = last.into_iter().map(|(name, list)| (name.clone(), NetworkList::clone(list)));
    let mut networks: BTreeMap<_, _> = lists.collect();
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

/// The VLANs of bridges' ports. A kernel without them refuses; without a bridge that filters them there is nothing to
/// know.
fn of_ports(host: &Namespace, missing: &mut Vec<String>) -> BTreeMap<u32, Vec<u16>> {
    if !host.links.iter().any(|link| link.filters_vlans) {
        return BTreeMap::new();
    }
    port_vlans().unwrap_or_else(|e| {
        missing.push(format!("the VLANs of bridges' ports: {e}"));
        BTreeMap::new()
    })
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
