//! Waiting for the kernel by listening to it, not by asking again and again.

use std::time::{Duration, Instant};

use cni_netlink::{Answer, Errno, Protocol, Socket};
use cni_types::{Code, Error, Result};

use crate::link::{Link, decode};
use crate::rtnl::Rtnl;

/// `RTNLGRP_LINK` (`linux/rtnetlink.h`)
const RTNLGRP_LINK: u32 = 1;
/// How long a wait listens before it asks once more, in case an event was lost.
pub(crate) const LISTEN: Duration = Duration::from_millis(500);

pub(crate) fn unheard(errno: Errno) -> Error {
    Error::new(Code::KERNEL, "cannot listen to the kernel's events").because(errno)
}

/// A subscription to one multicast group in the namespace it was opened in.
pub struct Events(Socket);

impl Events {
    /// Starts listening to link changes; every one from now on is heard.
    ///
    /// # Errors
    /// Code 100 when the kernel gives no socket.
    pub fn of_links() -> Result<Self> {
        let socket = Socket::listen(Protocol::Route, RTNLGRP_LINK);
        socket.map(Self).map_err(unheard)
    }

    /// Hands the next datagram's messages to `each`. False when none came within `limit` (at most half a second), or
    /// when some were lost: either way it is time to ask the kernel.
    pub(crate) fn next(&self, limit: Duration, each: &mut dyn FnMut(Answer<'_>)) -> bool {
        match self.0.receive(each) {
            Err(Errno::EAGAIN) => self.0.wait(limit.min(LISTEN)) && self.0.receive(each).is_ok(),
            result => result.is_ok(),
        }
    }

    /// Asks until there is an answer: at once, after every event, and when `limit` has passed.
    ///
    /// # Errors
    /// What `ask` fails with.
    pub fn ask_until<T>(&self, limit: Duration, ask: impl Fn() -> Result<Option<T>>) -> Result<Option<T>> {
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let answer = ask()?;
            if answer.is_some() || left.is_zero() {
                return Ok(answer);
            }
            self.next(left, &mut |_| {});
        }
    }

    /// Waits until `reached` holds for the link with this index: true, or false when `limit` has passed.
    ///
    /// # Errors
    /// Code 100 when the link is gone or the kernel refuses to say.
    pub fn wait_for_link(
        &self,
        host: &Rtnl,
        index: u32,
        limit: Duration,
        reached: impl Fn(&Link) -> bool,
    ) -> Result<bool> {
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let mut seen = false;
            let heard = self.next(left, &mut |event| {
                if let Answer::Object { kind: libc::RTM_NEWLINK, body, .. } = event {
                    seen |= decode::link(body).is_some_and(|link| link.index == index && reached(&link));
                }
            });
            if seen {
                return Ok(true);
            }
            if heard {
                continue;
            }
            match host.find_link_by_index(index)? {
                Some(link) if reached(&link) => return Ok(true),
                Some(_) if left.is_zero() => return Ok(false),
                Some(_) => {}
                None => return Err(Error::new(Code::KERNEL, format!("the link with index {index} is gone"))),
            }
        }
    }
}
