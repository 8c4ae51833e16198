//! All leases: begun, taken up again, and the verbs.

mod verbs;

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use cni_types::{CniResult, Result};
use tokio::sync::oneshot;
use tokio::task::spawn_local;

use super::flags::Flags;
use super::keeper::Keeper;
use super::log;
use super::registry::{HeldLease, Registry};
use super::services::Services;
use crate::clock::{self, Random};
use crate::lease::Machine;
use crate::query;
use crate::record::{Grant, LeaseRecord};

/// The daemon's whole state.
pub(super) struct Leases {
    registry: Rc<Registry>,
    services: Rc<Services>,
}

impl Leases {
    /// Those of the daemon that listens on `socket`.
    ///
    /// # Errors
    /// As [`Services::start`].
    pub(super) fn new(flags: Flags, socket: &Path) -> Result<Rc<Self>> {
        let services = Rc::new(Services::start(flags, socket)?);
        Ok(Rc::new(Self { registry: Rc::default(), services }))
    }

    /// Takes up what an earlier daemon has left: leases go on; those whose container has gone are forgotten; what was
    /// only asked for, and what a DEL has ordered released meanwhile, is released.
    ///
    /// # Errors
    /// Code 5 when the state directory cannot be read.
    pub(super) fn resume(&self) -> Result<()> {
        let Services { state, .. } = &*self.services;
        for record in state.all()? {
            let taken = record.and_then(|record| {
                let over = state.is_release_ordered(&record.id);
                match record {
                    LeaseRecord { id, place, .. } if place.is_there() == Ok(false) => {
                        log!("{}: {} is gone: the lease is over", query::name(&id), place.netns.display());
                        state.remove_if_present(&id)
                    }
                    LeaseRecord { id, place, wanted, given: Grant::Held(binding) } if !over => {
                        self.keep(HeldLease { id, place, wanted, binding: RefCell::new(Some(*binding)) });
                        Ok(())
                    }
                    over => self.services.release(&over),
                }
            });
            if let Err(error) = taken {
                log!("{error}");
            }
        }
        let kept = self.registry.count();
        if kept > 0 {
            log!("{kept} leases go on");
        }
        Ok(())
    }

    fn keep(&self, held: HeldLease) {
        let Some(binding) = held.binding.borrow().clone() else { return };
        let (mac, priority, timing) = (held.place.mac, held.wanted.priority, self.services.flags.timing);
        let machine = Machine::resume(mac, priority, timing, clock::now(), Random::new(), binding);
        self.start(held, machine, None);
    }

    fn start(&self, held: HeldLease, machine: Machine, waiting: Option<oneshot::Sender<Result<CniResult>>>) {
        let held = Rc::new(held);
        let keeper = Keeper {
            orders: self.registry.enter(&held),
            registry: Rc::clone(&self.registry),
            services: Rc::clone(&self.services),
            held,
            machine,
            waiting,
            draft: None,
            port: None,
            deaf: false,
            ignored: 0,
            trouble: None,
        };
        spawn_local(keeper.run());
    }

    /// What there is, for a log.
    pub(super) fn summary(&self) -> String {
        let (leases, ignored) = (self.registry.count(), self.services.ignored.get());
        format!("{leases} leases, {ignored} packets ignored since the start")
    }
}
