//! Waiting to be told to end.

use cni_types::{Code, Error, Result};
use nix::sys::signal::{SigSet, Signal};

/// The signals that say so, held back until they are waited for: none is lost, and what is being installed is finished.
pub(crate) struct Held(SigSet);

impl Held {
    /// Holds SIGTERM, SIGINT and SIGHUP back from now on.
    ///
    /// # Errors
    /// Code 5 when the kernel refuses.
    pub(crate) fn new() -> Result<Self> {
        let signals: SigSet = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP].into_iter().collect();
        signals.thread_block().map(|()| Self(signals)).map_err(refused)
    }

    /// Returns when one comes or has come, also as the first process of a container, which no signal ends by itself.
    ///
    /// # Errors
    /// Code 5 when the kernel refuses.
    pub(crate) fn wait(&self) -> Result<()> {
        self.0.wait().map(drop).map_err(refused)
    }
}

fn refused(errno: nix::errno::Errno) -> Error {
    Error::new(Code::IO, "cannot wait for a signal").because(errno)
}
