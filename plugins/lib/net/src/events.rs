//! What the kernel tells about links, as it happens.

use std::time::{Duration, Instant};

use cni_netlink::{Protocol, Socket};
use cni_types::{Code, Error, Result};

use crate::link::{Link, decode};
use crate::rtnl::Rtnl;

/// `RTNLGRP_LINK` (`linux/rtnetlink.h`)
const RTNLGRP_LINK: u32 = 1;

/// A subscription to one multicast group in the namespace it was opened in.
pub struct Events(Socket);

impl Events {
    /// Starts listening to link changes; every one from now on is heard.
    ///
    /// # Errors
    /// Code 100 when the kernel gives no socket.
    pub fn of_links() -> Result<Self> {
        Ok(Self(Socket::listen(Protocol::Route, RTNLGRP_LINK)?))
    }

    /// Asks until there is an answer: at once, after every event, and when `limit` has passed.
    ///
    /// # Errors
    /// What `ask` fails with.
    pub fn ask_until<T>(&self, limit: Duration, ask: impl Fn() -> Result<Option<T>>) -> Result<Option<T>> {
        self.0.ask_again(limit, ask)
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
            let heard = self.0.hear_next(left, &mut |kind, body| {
                let is_it = |link: &Link| link.index == index && reached(link);
                seen |= kind == libc::RTM_NEWLINK && decode::link(body).as_ref().is_some_and(is_it);
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
