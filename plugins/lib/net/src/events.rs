//! Waiting for the kernel by listening to it, not by asking again and again.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};

use cni_types::{Code, Error, Result};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rtnetlink::sys::protocols::NETLINK_ROUTE;
use rtnetlink::sys::{Socket, SocketAddr};

use crate::link::{Link, decode};
use crate::rtnl::Rtnl;

/// `RTNLGRP_LINK` (`linux/rtnetlink.h`)
const RTNLGRP_LINK: u32 = 1;
/// Size of `struct nlmsghdr`.
const HEADER: usize = 16;
/// How long a wait listens before it asks once more, in case an event was lost.
const LISTEN: Duration = Duration::from_millis(500);

/// A subscription to one multicast group in the namespace it was opened in.
pub struct Events(Socket);

impl Events {
    /// Starts listening; every change from now on is heard.
    ///
    /// # Errors
    /// Code 100 when the kernel gives no socket.
    pub(crate) fn subscribe(group: u32) -> Result<Self> {
        let failed = |e| Error::new(Code::KERNEL, "cannot listen to the kernel's events").because(e);
        let mut socket = Socket::new(NETLINK_ROUTE).map_err(failed)?;
        socket.set_non_blocking(true).map_err(failed)?;
        socket.bind(&SocketAddr::new(0, 0)).map_err(failed)?;
        socket.add_membership(group).map_err(failed)?;
        Ok(Self(socket))
    }

    /// Starts listening to link changes.
    ///
    /// # Errors
    /// Code 100 when the kernel gives no socket.
    pub fn of_links() -> Result<Self> {
        Self::subscribe(RTNLGRP_LINK)
    }

    /// The next datagram. `None` when none came within `left` (at most half a second), or when some were lost: either
    /// way it is time to ask the kernel.
    pub(crate) fn next(&self, left: Duration) -> Option<Vec<u8>> {
        let mut buffer = Vec::with_capacity(32 * 1024);
        match self.0.recv(&mut &mut buffer, 0) {
            Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return None,
            Ok(_) => return Some(buffer),
        }
        // SAFETY: the socket lives as long as `self`.
        let fd = unsafe { BorrowedFd::borrow_raw(self.0.as_raw_fd()) };
        // Rounded up, or the last millisecond would be spent in a busy loop.
        let timeout = PollTimeout::try_from(left.min(LISTEN).as_millis() + 1).unwrap_or(PollTimeout::MAX);
        if poll(&mut [PollFd::new(fd, PollFlags::POLLIN)], timeout) != Ok(1) {
            return None;
        }
        self.0.recv(&mut &mut buffer, 0).ok().map(|_| buffer)
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
            match self.next(left) {
                Some(datagram) => {
                    if links(&datagram).any(|link| link.index == index && reached(&link)) {
                        return Ok(true);
                    }
                }
                None => match host.find_link_by_index(index)? {
                    Some(link) if reached(&link) => return Ok(true),
                    Some(_) if left.is_zero() => return Ok(false),
                    Some(_) => {}
                    None => {
                        return Err(Error::new(Code::KERNEL, format!("the link with index {index} is gone")));
                    }
                },
            }
        }
    }
}

/// The links described in a datagram of netlink messages.
fn links(datagram: &[u8]) -> impl Iterator<Item = Link> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        loop {
            let length = usize::try_from(u32::from_ne_bytes(rest.get(0..4)?.try_into().ok()?)).ok()?;
            let kind = u16::from_ne_bytes(rest.get(4..6)?.try_into().ok()?);
            let body = rest.get(HEADER..length)?;
            rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
            if kind == libc::RTM_NEWLINK {
                return decode::link(body);
            }
        }
    })
}
