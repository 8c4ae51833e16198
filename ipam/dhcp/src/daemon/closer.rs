//! Closing packet sockets elsewhere: the kernel lets the closing thread wait for an RCU grace period, some 10 ms.

use std::os::fd::OwnedFd;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use cni_types::{Doing, Result};

/// The thread that closes.
#[derive(Debug, Clone)]
pub(super) struct Closer(Sender<OwnedFd>);

impl Closer {
    /// # Errors
    /// Code 5 when there can be no thread.
    pub(super) fn start() -> Result<Self> {
        let (sender, receiver) = channel::<OwnedFd>();
        let work = move || receiver.into_iter().for_each(drop);
        thread::Builder::new().stack_size(64 << 10).spawn(work).doing("cannot start the closing thread")?;
        Ok(Self(sender))
    }

    pub(super) fn close(&self, fd: OwnedFd) {
        // Without the thread it is closed here.
        drop(self.0.send(fd));
    }
}
