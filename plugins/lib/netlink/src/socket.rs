//! The socket: datagrams in and out. It talks to the namespace it was opened in for good.

use std::cell::{Cell, RefCell};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, send, setsockopt,
    socket, sockopt,
};

use crate::Answer;

/// Large enough for every datagram of a dump (`netlink_dump`, `net/netlink/af_netlink.c`: at most 32 KiB).
const BUFFER: usize = 64 << 10;
/// Batches larger than this may need larger buffers than sockets have by default: for themselves, and for an answer of
/// about 10 times its size to every message.
const SMALL: usize = 16 << 10;
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

/// A netlink socket. Refusals come with the kernel's words and without a copy of the request.
pub struct Socket {
    fd: OwnedFd,
    buffer: RefCell<Vec<u8>>,
    received: Cell<usize>,
}

impl Socket {
    /// Opens a socket in the calling thread's network namespace.
    ///
    /// # Errors
    /// `EPROTONOSUPPORT` when the kernel does not speak the protocol.
    pub fn open(protocol: Protocol) -> nix::Result<Self> {
        let number = match protocol {
            Protocol::Route => SockProtocol::NetlinkRoute,
            Protocol::Netfilter => SockProtocol::NetlinkNetFilter,
        };
        let fd = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, number)?;
        let socket = Self { fd, buffer: RefCell::new(vec![0; BUFFER]), received: Cell::new(0) };
        socket.enable(libc::NETLINK_EXT_ACK)?;
        socket.enable(libc::NETLINK_CAP_ACK)?;
        if protocol == Protocol::Route {
            // Dumps then honour their filters.
            socket.enable(libc::NETLINK_GET_STRICT_CHK)?;
        }
        Ok(socket)
    }

    /// Opens a socket that hears the events of a multicast group (1–32, `RTNLGRP_*`).
    ///
    /// # Errors
    /// As [`Socket::open`].
    pub fn listen(protocol: Protocol, group: u32) -> nix::Result<Self> {
        let socket = Self::open(protocol)?;
        bind(socket.fd.as_raw_fd(), &NetlinkAddr::new(0, 1 << (group - 1)))?;
        Ok(socket)
    }

    fn enable(&self, option: libc::c_int) -> nix::Result<()> {
        let on: libc::c_int = 1;
        // SAFETY: `on` outlives the call and INT_SIZE is its size.
        let result = unsafe {
            libc::setsockopt(self.fd.as_raw_fd(), libc::SOL_NETLINK, option, (&raw const on).cast(), INT_SIZE)
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
