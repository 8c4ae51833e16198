//! What the kernel tells about links, as it happens.

use std::time::Duration;

use cni_netlink::{Protocol, Socket};
use cni_types::Result;

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
}
