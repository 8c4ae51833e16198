//! What clients ask for.

use std::cell::RefCell;
use std::path::Path;

use cni_net::Netns;
use cni_types::{AttachmentId, CniResult, Error, Failures, NetworkName, Result};
use tokio::sync::oneshot;

use super::Leases;
use crate::clock::{self, Random};
use crate::daemon::registry::{HeldLease, Order};
use crate::lease::Machine;
use crate::place::Place;
use crate::query;
use crate::wanted::Wanted;

impl Leases {
    /// The attachment's lease: the one it has, or a new one.
    ///
    /// # Errors
    /// Code 104 when no server gives an address, 8 or 100 for an unusable interface, 11 when another ADD is under way
    /// or a DEL has ended this one, 5 when the lease cannot be written down.
    pub(in crate::daemon) async fn add(
        &self,
        id: AttachmentId,
        netns: &Path,
        wanted: Wanted,
    ) -> Result<CniResult> {
        let place = Place::find(&self.services.flags.on_host(netns), &id.ifname)?;
        if let Some(held) = self.registry.find(&id) {
            let binding = held.binding.borrow().clone();
            match binding {
                None => {
                    return Err(Error::try_again(format!(
                        "an ADD of {} is under way already",
                        query::name(&id)
                    )));
                }
                Some(binding) if held.place.is_at(&place) => return Ok(binding.result),
                // The same names, but another container.
                Some(_) => self.del(&id).await?,
            }
        }
        self.services.state.remove_if_present(&id)?;
        let (answer, result) = oneshot::channel();
        let timing = self.services.flags.timing;
        let machine = Machine::acquire(place.mac, wanted.priority, timing, clock::now(), Random::new());
        let tag = query::name(&id);
        self.start(HeldLease { id, place, wanted, binding: RefCell::default() }, machine, Some(answer));
        let ended = |_| Err(Error::try_again(format!("a DEL has ended the ADD of {tag}")));
        result.await.unwrap_or_else(ended)
    }

    /// The attachment's lease, if it has one there.
    ///
    /// # Errors
    /// Code 103 when it has none.
    pub(in crate::daemon) fn check(&self, id: &AttachmentId, netns: &Path) -> Result<CniResult> {
        let none = || Error::check(format!("dhcp: no lease is held for {}", query::name(id)));
        let held = self.registry.find(id).ok_or_else(none)?;
        let binding = held.binding.borrow().clone().ok_or_else(none)?;
        let netns = Netns::open(&self.services.flags.on_host(netns))?;
        if netns.identity()? != held.place.identity || !held.place.is_there()? {
            return Err(none().because("the lease it has is that of another interface"));
        }
        Ok(binding.result)
    }

    /// Ends the attachment's lease, or its ADD.
    ///
    /// # Errors
    /// Code 5 when its file cannot be removed.
    pub(in crate::daemon) async fn del(&self, id: &AttachmentId) -> Result<()> {
        let Some(orders) = self.registry.take(id) else { return self.services.state.remove_if_present(id) };
        let (done, outcome) = oneshot::channel();
        if orders.send(Order::End(done)).is_err() {
            return Ok(());
        }
        // A keeper that has ended by itself meanwhile has tidied up too.
        outcome.await.unwrap_or(Ok(()))
    }

    /// Ends the leases of the network but those of `valid`. An ADD that is under way is none of them yet.
    ///
    /// # Errors
    /// All failures, folded.
    pub(in crate::daemon) async fn gc(&self, network: &NetworkName, valid: &[AttachmentId]) -> Result<()> {
        let mut failures = Failures::new();
        for id in self.registry.stale(network, valid) {
            failures.note(self.del(&id).await);
        }
        failures.fold()
    }

    /// Whether an ADD could work.
    ///
    /// # Errors
    /// Code 5 when the state directory cannot be written to.
    pub(in crate::daemon) fn status(&self) -> Result<()> {
        self.services.state.probe()
    }
}
