//! Who has a lease: the table of those that are kept, and how their keepers are told.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use cni_types::{AttachmentId, NetworkName, Result};
use tokio::sync::{mpsc, oneshot};

use crate::lease::Binding;
use crate::place::Place;
use crate::query;
use crate::record::{Grant, LeaseRecord};
use crate::wanted::Wanted;

/// What keeper and table both know of a lease.
pub(super) struct HeldLease {
    pub(super) id: AttachmentId,
    pub(super) place: Place,
    pub(super) wanted: Wanted,
    /// `None` until an ACK has come, and once the lease is over.
    pub(super) binding: RefCell<Option<Binding>>,
}

impl HeldLease {
    /// The attachment, for messages.
    pub(super) fn name(&self) -> String {
        query::name(&self.id)
    }

    /// What is to be written down.
    pub(super) fn record(&self, given: Grant) -> LeaseRecord {
        LeaseRecord { id: self.id.clone(), place: self.place.clone(), wanted: self.wanted.clone(), given }
    }
}

/// What others want of a keeper.
pub(super) enum Order {
    /// End the lease, with a release; answer when that is done.
    End(oneshot::Sender<Result<()>>),
}

struct Entry {
    held: Rc<HeldLease>,
    orders: mpsc::UnboundedSender<Order>,
}

/// The table.
#[derive(Default)]
pub(super) struct Registry(RefCell<HashMap<AttachmentId, Entry>>);

impl Registry {
    /// Enters a lease; out of the channel comes what its keeper is told.
    pub(super) fn enter(&self, held: &Rc<HeldLease>) -> mpsc::UnboundedReceiver<Order> {
        let (orders, told) = mpsc::unbounded_channel();
        self.0.borrow_mut().insert(held.id.clone(), Entry { held: Rc::clone(held), orders });
        told
    }

    pub(super) fn find(&self, id: &AttachmentId) -> Option<Rc<HeldLease>> {
        self.0.borrow().get(id).map(|entry| Rc::clone(&entry.held))
    }

    /// Takes a lease out, to tell its keeper.
    pub(super) fn take(&self, id: &AttachmentId) -> Option<mpsc::UnboundedSender<Order>> {
        self.0.borrow_mut().remove(id).map(|entry| entry.orders)
    }

    /// A keeper has ended; another lease may have taken the place of its own.
    pub(super) fn forget(&self, held: &Rc<HeldLease>) {
        let mut entries = self.0.borrow_mut();
        if entries.get(&held.id).is_some_and(|entry| Rc::ptr_eq(&entry.held, held)) {
            entries.remove(&held.id);
        }
    }

    /// The network's leases but those of `valid`. An ADD that is under way is none of them yet.
    pub(super) fn stale(&self, network: &NetworkName, valid: &[AttachmentId]) -> Vec<AttachmentId> {
        let is_stale = |held: &HeldLease| {
            held.id.network == *network && held.binding.borrow().is_some() && !valid.contains(&held.id)
        };
        let entries = self.0.borrow();
        let stale = entries.values().filter(|entry| is_stale(&entry.held));
        stale.map(|entry| entry.held.id.clone()).collect()
    }

    pub(super) fn count(&self) -> usize {
        self.0.borrow().len()
    }
}
