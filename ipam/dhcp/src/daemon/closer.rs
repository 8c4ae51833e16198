//! Closing packet sockets elsewhere: the kernel lets the closing thread wait for an RCU grace period, some 20 ms. Those
//! that wait at the same time share one, so there are as many threads as there is to close, up to a limit.

use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// They close 1500 sockets a second.
const THREADS_MAX: usize = 32;

/// What is still to be closed, and by how many threads. None is there when nothing is to be done.
#[derive(Debug, Clone, Default)]
pub(super) struct Closer(Arc<Mutex<Queue>>);

#[derive(Debug, Default)]
struct Queue {
    sockets: Vec<OwnedFd>,
    threads: usize,
}

impl Closer {
    pub(super) fn close(&self, socket: OwnedFd) {
        let mut queue = self.queue();
        queue.sockets.push(socket);
        if queue.threads == THREADS_MAX {
            return;
        }
        queue.threads += 1;
        drop(queue);
        let closer = self.clone();
        if thread::Builder::new().stack_size(64 << 10).spawn(move || closer.work()).is_err() {
            self.work();
        }
    }

    fn work(&self) {
        loop {
            let mut queue = self.queue();
            let Some(socket) = queue.sockets.pop() else {
                queue.threads -= 1;
                return;
            };
            drop(queue);
            drop(socket);
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
