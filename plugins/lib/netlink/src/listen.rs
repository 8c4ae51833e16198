//! Waiting for the kernel by listening to it, not by asking again and again.

use std::time::{Duration, Instant};

use nix::errno::Errno;

use crate::{Protocol, Refused, Socket};

/// How long a wait listens before it asks once more, in case an event was lost.
const LISTEN: Duration = Duration::from_millis(500);

impl Socket {
    /// Opens a socket that hears the events of a multicast group (1–32, `RTNLGRP_*`) from now on. For events alone: the
    /// more come, the less room there is for answers.
    ///
    /// # Errors
    /// As [`Socket::open`]; `EPERM` for a group that not everybody may hear.
    pub fn listen(protocol: Protocol, group: u32) -> Result<Self, Refused> {
        let socket = Self::open(protocol)?;
        socket.join(group)?;
        Ok(socket)
    }

    /// [`Socket::ask_again`], on a socket that hears the events of a multicast group no longer than that.
    ///
    /// # Errors
    /// What `ask` fails with; `EPERM` for a group that not everybody may hear.
    pub fn ask_until<T, E: From<Refused>>(
        &self,
        group: u32,
        limit: Duration,
        ask: impl FnMut() -> Result<Option<T>, E>,
    ) -> Result<Option<T>, E> {
        self.join(group)?;
        let answer = self.ask_again(limit, ask);
        let _ = self.subscribe(0);
        self.forget_events();
        answer
    }

    /// Asks until there is an answer: at once, after every event, and when `limit` has passed.
    ///
    /// # Errors
    /// What `ask` fails with.
    pub fn ask_again<T, E>(
        &self,
        limit: Duration,
        mut ask: impl FnMut() -> Result<Option<T>, E>,
    ) -> Result<Option<T>, E> {
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let answer = ask()?;
            if answer.is_some() || left.is_zero() {
                return Ok(answer);
            }
            // Some may have come between the answers.
            if !self.has_heard() {
                self.wait(left.min(LISTEN));
            }
            self.forget_events();
        }
    }

    fn join(&self, group: u32) -> Result<(), Refused> {
        let unheard = |errno| Refused::new(self.protocol(), "listen to the kernel's events", errno);
        self.subscribe(1 << (group - 1)).map_err(unheard)
    }

    fn forget_events(&self) {
        while matches!(self.receive(&mut |_| {}), Ok(()) | Err(Errno::ENOBUFS | Errno::EMSGSIZE)) {}
        self.unhear();
    }
}
