//! The socket: datagrams in and out. It talks to the namespace it was opened in for good.

use std::cell::{Cell, RefCell};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, getsockname, getsockopt,
    recv, send, setsockopt, socket, sockopt,
};

use crate::Answer;

/// Large enough for every datagram of a dump (`netlink_dump`, `net/netlink/af_netlink.c`: at most 32 KiB).
const BUFFER: usize = 64 << 10;
/// Batches larger than this may need larger buffers than sockets have by default: for themselves, and for an answer of
/// about 10 times its size to every message.
const SMALL: usize = 16 << 10;
/// What the kernel takes off the send buffer (`netlink_sendmsg`, `net/netlink/af_netlink.c`).
const RESERVED: usize = 32;
/// Size of a C `int`, the value of a boolean socket option.
const INT_SIZE: libc::socklen_t = 4;
/// `SO_NETNS_COOKIE` (`asm-generic/socket.h`), and the size of its value.
const SO_NETNS_COOKIE: libc::c_int = 71;
const COOKIE_SIZE: libc::socklen_t = 8;

/// Whom the socket talks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Links, addresses, routes.
    Route,
    /// The packet filter.
    Netfilter,
}

/// A netlink socket. Refusals come with the kernel's words and without a copy of the request, where the kernel can do
/// that.
pub struct Socket {
    fd: OwnedFd,
    buffer: RefCell<Vec<u8>>,
    received: Cell<usize>,
    /// The next request's number.
    sequence: Cell<u32>,
    /// Bytes that the answers and the requests of one write may take, when it was asked for.
    room: Cell<Option<(usize, usize)>>,
    /// Whether a message came that answers no request: an event.
    heard: Cell<bool>,
}

impl Socket {
    /// Opens a socket in the calling thread's network namespace.
    ///
    /// # Errors
    /// `EPROTONOSUPPORT` when the kernel does not speak the protocol. What only newer kernels have is asked for, not
    /// assumed: the kernel's words (Linux 4.12), refusals without a copy (4.3), lists that are filtered (4.20).
    pub fn open(protocol: Protocol) -> nix::Result<Self> {
        let number = match protocol {
            Protocol::Route => SockProtocol::NetlinkRoute,
            Protocol::Netfilter => SockProtocol::NetlinkNetFilter,
        };
        let fd = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, number)?;
        let socket = Self {
            fd,
            buffer: RefCell::new(vec![0; BUFFER]),
            received: Cell::new(0),
            sequence: Cell::new(1),
            room: Cell::new(None),
            heard: Cell::new(false),
        };
        let own = match protocol {
            // Dumps then honour their filters; whoever lists something looks at what came all the same.
            Protocol::Route => libc::NETLINK_GET_STRICT_CHK,
            // Of a batch with many refusals the first ones are answered, however many there are.
            Protocol::Netfilter => libc::NETLINK_NO_ENOBUFS,
        };
        for option in [libc::NETLINK_EXT_ACK, libc::NETLINK_CAP_ACK, own] {
            let _ = socket.set(option, 1);
        }
        Ok(socket)
    }

    /// Opens a socket that hears the events of a multicast group (1–32, `RTNLGRP_*`).
    ///
    /// # Errors
    /// As [`Socket::open`].
    pub fn listen(protocol: Protocol, group: u32) -> nix::Result<Self> {
        let socket = Self::open(protocol)?;
        socket.join(group)?;
        Ok(socket)
    }

    fn set(&self, option: libc::c_int, value: libc::c_int) -> nix::Result<()> {
        // SAFETY: `value` outlives the call and INT_SIZE is its size.
        let result = unsafe {
            let value = (&raw const value).cast();
            libc::setsockopt(self.fd.as_raw_fd(), libc::SOL_NETLINK, option, value, INT_SIZE)
        };
        Errno::result(result).map(drop)
    }

    /// What the kernel knows the socket's network namespace by: no other one ever gets the same number until the machine
    /// boots again. `None` before Linux 5.14.
    pub fn netns_cookie(&self) -> Option<u64> {
        let (mut cookie, mut size) = (0_u64, COOKIE_SIZE);
        // SAFETY: `cookie` and `size` outlive the call, and COOKIE_SIZE is the size of the first.
        let result = unsafe {
            let (value, size) = ((&raw mut cookie).cast(), &raw mut size);
            libc::getsockopt(self.fd.as_raw_fd(), libc::SOL_SOCKET, SO_NETNS_COOKIE, value, size)
        };
        (result == 0).then_some(cookie)
    }

    /// Hears the events of a multicast group (1–32, `RTNLGRP_*`) from now on, until [`Socket::leave`].
    ///
    /// # Errors
    /// `EPERM` for a group that not everybody may hear.
    pub fn join(&self, group: u32) -> nix::Result<()> {
        self.subscribe(1 << (group - 1))
    }

    /// Hears none any more, and forgets those that have come.
    pub fn leave(&self) {
        let _ = self.subscribe(0);
        self.forget_events();
    }

    fn subscribe(&self, groups: u32) -> nix::Result<()> {
        let own: NetlinkAddr = getsockname(self.fd.as_raw_fd())?;
        bind(self.fd.as_raw_fd(), &NetlinkAddr::new(own.pid(), groups))
    }

    /// Forgets the events that have come.
    pub fn forget_events(&self) {
        while matches!(self.receive(&mut |_| {}), Ok(()) | Err(Errno::ENOBUFS)) {}
        self.heard.set(false);
    }

    /// Waits for an event since they were last forgotten: false when `limit` has passed, or a signal came.
    pub fn wait_for_event(&self, limit: Duration) -> bool {
        self.heard.get() || self.wait(limit)
    }

    /// Numbers for that many requests: the first one.
    pub fn number(&self, count: usize) -> u32 {
        let first = self.sequence.get();
        let count = u32::try_from(count).unwrap_or(u32::MAX / 2);
        // An exchange never comes near 2^32 messages, so numbers do not meet again within one.
        self.sequence.set(first.checked_add(count).unwrap_or(1));
        first
    }

    /// How many requests have been numbered so far.
    pub fn numbered(&self) -> u32 {
        self.sequence.get() - 1
    }

    /// Bytes that the answers to one write may take in the receive buffer, and bytes of the write.
    pub(crate) fn room(&self) -> (usize, usize) {
        let ask = || {
            let answers = getsockopt(&self.fd, sockopt::RcvBuf).unwrap_or(0);
            let write = getsockopt(&self.fd, sockopt::SndBuf).unwrap_or(0);
            (answers, write.saturating_sub(RESERVED).min(SMALL))
        };
        let room = self.room.get().unwrap_or_else(ask);
        self.room.set(Some(room));
        room
    }

    /// Sends requests. The kernel has worked on all of them when this returns.
    ///
    /// # Errors
    /// The errno of `send`.
    pub fn send(&self, requests: &[u8]) -> nix::Result<()> {
        if requests.len() > SMALL {
            // Old kernels refuse this in a user namespace. Then the default has to do.
            let _ = setsockopt(&self.fd, sockopt::SndBufForce, &(requests.len() * 2));
            let _ = setsockopt(&self.fd, sockopt::RcvBufForce, &(requests.len() * 16));
        }
        send(self.fd.as_raw_fd(), requests, MsgFlags::empty()).map(drop)
    }

    /// Reads one datagram and calls `each` with every message in it.
    ///
    /// # Errors
    /// `EAGAIN` when there is none, `EBADMSG` for a malformed one, `ENOBUFS` when events were lost.
    pub fn receive(&self, each: &mut dyn FnMut(Answer<'_>)) -> nix::Result<()> {
        let mut buffer = self.buffer.borrow_mut();
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_TRUNC;
        let length = loop {
            match recv(self.fd.as_raw_fd(), &mut buffer, flags) {
                Err(Errno::EINTR) => {}
                result => break result?,
            }
        };
        self.received.set(self.received.get() + length);
        // With MSG_TRUNC the length is the datagram's, even where the buffer is smaller.
        for answer in Answer::each(buffer.get(..length).ok_or(Errno::EMSGSIZE)?) {
            each(answer.ok_or(Errno::EBADMSG)?);
        }
        Ok(())
    }

    /// Makes the buffers as small as the kernel allows.
    #[cfg(test)]
    pub(crate) fn shrink(&self) {
        setsockopt(&self.fd, sockopt::RcvBuf, &1).unwrap();
        setsockopt(&self.fd, sockopt::SndBuf, &1).unwrap();
    }

    /// Remembers that an event came while something else was waited for.
    pub(crate) fn hear(&self) {
        self.heard.set(true);
    }

    /// How many bytes have come in so far.
    pub fn received(&self) -> usize {
        self.received.get()
    }

    /// Waits until there is something to read: false when `limit` has passed, or a signal came.
    pub fn wait(&self, limit: Duration) -> bool {
        // Rounded up, or the last millisecond would be spent in a busy loop.
        let timeout = PollTimeout::try_from(limit.as_millis() + 1).unwrap_or(PollTimeout::MAX);
        poll(&mut [PollFd::new(self.fd.as_fd(), PollFlags::POLLIN)], timeout) == Ok(1)
    }
}
