//! `host-local`: addresses from ranges, kept as files on this host.
//!
//! ADD takes one address from each range set, the requested one or the next one round robin. It leaves in
//! `<dataDir>/<network>/` (default `/var/lib/cni/networks`), all in the reference's format, so that either may be used
//! on what the other left, also at the same time:
//! * `<address>`, the reservation: container id and interface name,
//! * `last_reserved_ip.<range set>`, where the round robin stands,
//! * `lock`, an empty file for `flock(2)`,
//! * from 32 reservations on, `.host-local.index`: a hash table that spares reading all files. It is a hint.
//!
//! DEL removes the attachment's reservations. It needs the network's name and `dataDir`, nothing else of the
//! configuration. GC removes those of all attachments that are not valid. Pointers and lock stay.
//!
//! Differs from the reference in cost (that of ADD and DEL does not grow with the number of reservations), in that
//! the lock is held over the whole operation and waited for with a bound, in that a crash or a full disk leaves no
//! half-made reservation and those of others are reclaimed, and in GC and STATUS, which it has. See the README.

mod allocator;
mod conf;
mod lease;
mod status;
mod store;

use std::collections::HashSet;
use std::net::IpAddr;

use cni_skel::{About, Attachment, Delegates, Detachment, Plugin};
use cni_trace::phase;
use cni_types::{CniResult, Error, Network, Result, SpecVersion};

use conf::Conf;
pub use conf::KEYS;
use store::{Owner, Started, Store};

/// The plugin.
#[derive(Debug, Clone, Copy, Default)]
pub struct HostLocal;

impl Plugin for HostLocal {
    fn about(&self) -> About {
        About { name: "host-local", versions: &SpecVersion::ALL }
    }

    fn add(&self, attachment: &Attachment, _: &Delegates) -> Result<CniResult> {
        let conf = Conf::read(&attachment.network)?;
        let dns = conf.dns()?;
        let _reserving = phase("reservations");
        let mut store = Store::ensure(&conf.directory)?;
        let ips = lease::acquire(&mut store, &conf, &attachment.id)?;
        Ok(CniResult { ips, routes: conf.routes, dns, ..CniResult::default() })
    }

    fn check(&self, attachment: &Attachment, _: &Delegates) -> Result<()> {
        let conf = Conf::read(&attachment.network)?;
        let listed = attachment.network.prev_result()?.map(|result| result.ips).unwrap_or_default();
        let missing = || {
            let id = &attachment.id.container_id;
            Error::check(format!("host-local: Failed to find address added by container {id}"))
        };
        let Some(mut store) = Store::find(&conf.directory)? else {
            return Err(missing().because(format!("{} does not exist", conf.directory.display())));
        };
        let held = lease::held(&mut store, &attachment.id)?;
        if held.is_empty() {
            return Err(missing().because(format!("no file in {} is its", conf.directory.display())));
        }
        let ours = |ip: &IpAddr| conf.sets.iter().any(|set| set.find(*ip).is_some());
        let lost = listed.iter().map(|ip| ip.address.ip()).find(|ip| ours(ip) && !held.contains(ip));
        let Some(ip) = lost else { return Ok(()) };
        let holder = store.owner(ip).map_or_else(|| "nobody".to_owned(), |owner| owner.describe());
        Err(missing().because(format!("prevResult lists {ip}, which is held by {holder}")))
    }

    fn del(&self, detachment: &Detachment, _: &Delegates) -> Result<()> {
        let directory = conf::directory(&detachment.network)?;
        let _releasing = phase("reservations");
        let Some(mut store) = Store::find(&directory)? else { return Ok(()) };
        lease::release(&mut store, &detachment.id)
    }

    fn gc(&self, network: &Network, _: &Delegates) -> Result<()> {
        // Taken before the lock is waited for: what is reserved from here on is not in the list yet.
        let since = Started::now();
        let directory = conf::directory(network)?;
        let valid: HashSet<Owner> = network
            .valid_attachments()?
            .iter()
            .flat_map(|id| [Owner::new(id), Owner::container(id)])
            .collect();
        let _collecting = phase("reservations");
        let Some(mut store) = Store::find(&directory)? else { return Ok(()) };
        store.collect(since, |owner| valid.contains(owner))
    }

    fn status(&self, network: &Network, _: &Delegates) -> Result<()> {
        status::probe(&Conf::read_for_status(network)?)
    }
}
