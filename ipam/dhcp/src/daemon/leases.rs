//! All leases: who has one, and the verbs.

mod verbs;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use cni_types::{AttachmentId, CniResult, Result};
use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_local;

use super::alarm::Alarm;
use super::closer::Closer;
use super::flags::Flags;
use super::keeper::{Keeper, Order};
use super::log;
use crate::clock::{self, Random};
use crate::lease::{Binding, Machine};
use crate::place::Place;
use crate::query;
use crate::record::{Given, Record, State};
use crate::wanted::Wanted;

/// The daemon's whole state.
pub(super) struct Leases {
    flags: Flags,
    state: State,
    closer: Closer,
    alarm: Rc<Alarm>,
    keepers: RefCell<HashMap<AttachmentId, KeptLease>>,
    ignored: Cell<u64>,
}

/// What keeper and table both know of a lease.
pub(super) struct Held {
    pub(super) id: AttachmentId,
    pub(super) place: Place,
    pub(super) wanted: Wanted,
    /// `None` until an ACK has come, and once the lease is over.
    pub(super) binding: RefCell<Option<Binding>>,
}

impl Held {
    /// The attachment, for messages.
    pub(super) fn name(&self) -> String {
        query::name(&self.id)
    }

    /// What is to be written down.
    pub(super) fn record(&self, given: Given) -> Record {
        Record { id: self.id.clone(), place: self.place.clone(), wanted: self.wanted.clone(), given }
    }
}

struct KeptLease {
    held: Rc<Held>,
    orders: mpsc::UnboundedSender<Order>,
}

impl Leases {
    /// Those of the daemon that listens on `socket`.
    ///
    /// # Errors
    /// Code 5 when its state directory cannot be written to, or there is no timer.
    pub(super) fn new(flags: Flags, socket: &Path) -> Result<Rc<Self>> {
        let state = State::beside(socket);
        state.probe()?;
        let (closer, keepers, ignored) = (Closer::default(), RefCell::default(), Cell::default());
        Ok(Rc::new(Self { flags, state, closer, alarm: Alarm::start()?, keepers, ignored }))
    }

    /// Takes up what an earlier daemon has left: leases go on; those whose container has gone are forgotten; what was
    /// only asked for, and what a DEL has ordered released meanwhile, is released.
    ///
    /// # Errors
    /// Code 5 when the state directory cannot be read.
    pub(super) fn resume(self: &Rc<Self>) -> Result<()> {
        for record in self.state.all()? {
            let taken = record.and_then(|record| {
                let over = self.state.is_release_ordered(&record.id);
                match record {
                    Record { id, place, .. } if place.is_there() == Ok(false) => {
                        log!("{}: {} is gone: the lease is over", query::name(&id), place.netns.display());
                        self.state.remove_if_present(&id)
                    }
                    Record { id, place, wanted, given: Given::Held(binding) } if !over => {
                        self.keep(Held { id, place, wanted, binding: RefCell::new(Some(*binding)) });
                        Ok(())
                    }
                    over => self.release(&over),
                }
            });
            if let Err(error) = taken {
                log!("{error}");
            }
        }
        let kept = self.keepers.borrow().len();
        if kept > 0 {
            log!("{kept} leases go on");
        }
        Ok(())
    }

    fn keep(self: &Rc<Self>, held: Held) {
        let Some(binding) = held.binding.borrow().clone() else { return };
        let (mac, priority, now) = (held.place.mac, held.wanted.priority, clock::now());
        let machine = Machine::resume(mac, priority, self.flags.timing, now, Random::new(), binding);
        self.start(held, machine, None);
    }

    fn start(
        self: &Rc<Self>,
        held: Held,
        machine: Machine,
        waiting: Option<oneshot::Sender<Result<CniResult>>>,
    ) {
        let (sender, orders) = mpsc::unbounded_channel();
        let held = Rc::new(held);
        let entry = KeptLease { held: Rc::clone(&held), orders: sender };
        self.keepers.borrow_mut().insert(held.id.clone(), entry);
        let keeper = Keeper {
            leases: Rc::clone(self),
            held,
            machine,
            orders,
            waiting,
            draft: None,
            port: None,
            deaf: false,
            ignored: 0,
            trouble: None,
        };
        spawn_local(keeper.run());
    }

    fn find(&self, id: &AttachmentId) -> Option<Rc<Held>> {
        self.keepers.borrow().get(id).map(|entry| Rc::clone(&entry.held))
    }

    /// Sends a release if that is possible still, and forgets the lease.
    ///
    /// # Errors
    /// Code 5 when its file cannot be removed.
    pub(super) fn release(&self, record: &Record) -> Result<()> {
        match record.release() {
            Ok(socket) => socket.into_iter().for_each(|socket| self.closer.close(socket)),
            Err(error) => log!("{error}; the server keeps it until its time is over"),
        }
        self.state.remove_if_present(&record.id)
    }

    /// A keeper has ended.
    pub(super) fn forget(&self, held: &Rc<Held>) {
        let mut keepers = self.keepers.borrow_mut();
        if keepers.get(&held.id).is_some_and(|entry| Rc::ptr_eq(&entry.held, held)) {
            keepers.remove(&held.id);
        }
    }

    pub(super) fn state(&self) -> &State {
        &self.state
    }

    pub(super) fn closer(&self) -> &Closer {
        &self.closer
    }

    pub(super) fn alarm(&self) -> &Alarm {
        &self.alarm
    }

    pub(super) fn broadcast(&self) -> bool {
        self.flags.broadcast
    }

    pub(super) fn count_ignored(&self) {
        self.ignored.set(self.ignored.get().saturating_add(1));
    }

    /// What there is, for a log.
    pub(super) fn summary(&self) -> String {
        let (leases, ignored) = (self.keepers.borrow().len(), self.ignored.get());
        format!("{leases} leases, {ignored} packets ignored since the start")
    }
}
