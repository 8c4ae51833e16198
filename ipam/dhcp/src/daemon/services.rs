//! What all keepers use: the flags, the state directory, the clock, and who closes sockets.

use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;

use cni_types::Result;

use super::alarm::Alarm;
use super::closer::Closer;
use super::flags::Flags;
use super::log;
use crate::record::LeaseRecord;
use crate::state::State;

pub(super) struct Services {
    pub(super) flags: Flags,
    pub(super) state: State,
    pub(super) closer: Closer,
    pub(super) alarm: Rc<Alarm>,
    /// Packets passed over.
    pub(super) ignored: Cell<u64>,
}

impl Services {
    /// Those of the daemon that listens on `socket`.
    ///
    /// # Errors
    /// Code 5 when its state directory cannot be written to, or there is no timer.
    pub(super) fn start(flags: Flags, socket: &Path) -> Result<Self> {
        let state = State::beside(socket);
        state.probe()?;
        Ok(Self { flags, state, closer: Closer::default(), alarm: Alarm::start()?, ignored: Cell::default() })
    }

    /// Sends a release if that is possible still, and forgets the lease.
    ///
    /// # Errors
    /// Code 5 when its file cannot be removed.
    pub(super) fn release(&self, record: &LeaseRecord) -> Result<()> {
        match record.release() {
            Ok(socket) => socket.into_iter().for_each(|socket| self.closer.close(socket)),
            Err(error) => log!("{error}; the server keeps it until its time is over"),
        }
        self.state.remove_if_present(&record.id)
    }

    pub(super) fn count_ignored(&self) {
        self.ignored.set(self.ignored.get().saturating_add(1));
    }
}
