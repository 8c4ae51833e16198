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

use crate::answer::Answer;
use crate::protocol::Protocol;
use crate::refused::Refused;
use crate::room::{Room, SMALL};

/// Large enough for every datagram of a list (`netlink_dump`, `net/netlink/af_netlink.c`: at most 32 KiB, but for
/// single objects that are larger).
const BUFFER: usize = 64 << 10;
/// Size of a C `int`, the value of a boolean socket option.
const INT_SIZE: libc::socklen_t = 4;
/// `SO_NETNS_COOKIE` (`asm-generic/socket.h`), and the size of its value.
const SO_NETNS_COOKIE: libc::c_int = 71;
const COOKIE_SIZE: libc::socklen_t = 8;

/// A netlink socket. Refusals come with the kernel's words and without a copy of the request, where the kernel can do
/// that.
pub struct Socket {
    fd: OwnedFd,
    protocol: Protocol,
    buffer: RefCell<Vec<u8>>,
    received: Cell<usize>,
    /// The next request's number.
    sequence: Cell<u32>,
    /// Of its buffers, when it was asked for.
    room: Cell<Option<Room>>,
    /// Whether a message came that answers no request: an event.
    heard: Cell<bool>,
    /// Whether it was opened in another namespace than the process's own; not asked but for a trace.
    is_elsewhere: bool,
}

impl Socket {
    /// Opens a socket in the calling thread's network namespace.
    ///
    /// # Errors
    /// `EPROTONOSUPPORT` when the kernel does not speak the protocol. What only newer kernels have is asked for, not
    /// assumed: the kernel's words (Linux 4.12), refusals without a copy (4.3), lists that are filtered (4.20).
    pub fn open(protocol: Protocol) -> Result<Self, Refused> {
        let (number, doing, own) = match protocol {
            // Dumps then honour their filters; whoever lists something looks at what came all the same.
            Protocol::Route => {
                (SockProtocol::NetlinkRoute, "open a route netlink socket", libc::NETLINK_GET_STRICT_CHK)
            }
            // Of a batch with many refusals the first ones are answered, however many there are.
            Protocol::Nftables | Protocol::Conntrack => {
                (SockProtocol::NetlinkNetFilter, "open a netfilter netlink socket", libc::NETLINK_NO_ENOBUFS)
            }
        };
        let fd = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, number)
            .map_err(|errno| Refused::new(protocol, doing, errno))?;
        let socket = Self {
            fd,
            protocol,
            buffer: RefCell::new(vec![0; BUFFER]),
            received: Cell::new(0),
            sequence: Cell::new(1),
            room: Cell::new(None),
            heard: Cell::new(false),
            is_elsewhere: cni_trace::asks() && cni_trace::is_elsewhere(),
        };
        for option in [libc::NETLINK_EXT_ACK, libc::NETLINK_CAP_ACK, own] {
            let _ = socket.set(option, 1);
        }
        Ok(socket)
    }

    /// Makes room for a write that cannot be split.
    pub(crate) fn make_room(&self, write: usize) {
        if write > SMALL {
            // Old kernels refuse this in a user namespace. Then the default has to do.
            let _ = setsockopt(self.fd(), sockopt::SndBufForce, &(write * 2));
            let _ = setsockopt(self.fd(), sockopt::RcvBufForce, &(write * 16));
        }
    }

    pub(crate) fn protocol(&self) -> Protocol {
        self.protocol
    }

    pub(crate) fn is_elsewhere(&self) -> bool {
        self.is_elsewhere
    }

    pub(crate) fn fd(&self) -> &OwnedFd {
        &self.fd
    }

    fn set(&self, option: libc::c_int, value: libc::c_int) -> nix::Result<()> {
        // SAFETY: `value` outlives the call and INT_SIZE is its size.
        let result = unsafe {
            let value = (&raw const value).cast();
            libc::setsockopt(self.fd.as_raw_fd(), libc::SOL_NETLINK, option, value, INT_SIZE)
        };
        Errno::result(result).map(drop)
    }

    /// What the kernel knows the socket's network namespace by: no other one ever gets the same number until the
    /// machine boots again. `None` before Linux 5.14.
    pub fn netns_cookie(&self) -> Option<u64> {
        let (mut cookie, mut size) = (0_u64, COOKIE_SIZE);
        // SAFETY: `cookie` and `size` outlive the call, and COOKIE_SIZE is the size of the first.
        let result = unsafe {
            let (value, size) = ((&raw mut cookie).cast(), &raw mut size);
            libc::getsockopt(self.fd.as_raw_fd(), libc::SOL_SOCKET, SO_NETNS_COOKIE, value, size)
        };
        (result == 0).then_some(cookie)
    }

    /// Hears the events of these multicast groups, a bit each, and no others.
    pub(crate) fn subscribe(&self, groups: u32) -> nix::Result<()> {
        let own: NetlinkAddr = getsockname(self.fd.as_raw_fd())?;
        bind(self.fd.as_raw_fd(), &NetlinkAddr::new(own.pid(), groups))
    }

    /// Numbers for that many requests: the first one.
    pub(crate) fn number(&self, count: usize) -> u32 {
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

    /// How large its buffers are.
    pub(crate) fn room(&self) -> Room {
        let ask = || {
            let receive = getsockopt(&self.fd, sockopt::RcvBuf).unwrap_or(0);
            Room::of(receive, getsockopt(&self.fd, sockopt::SndBuf).unwrap_or(0))
        };
        let room = self.room.get().unwrap_or_else(ask);
        self.room.set(Some(room));
        room
    }

    /// Sends requests. The kernel has worked on all of them when this returns.
    pub(crate) fn send(&self, requests: &[u8]) -> nix::Result<()> {
        send(self.fd.as_raw_fd(), requests, MsgFlags::empty()).map(drop)
    }

    /// Reads one datagram and calls `each` with every message in it.
    ///
    /// # Errors
    /// `EAGAIN` when there is none, `EBADMSG` for a malformed one, `ENOBUFS` when events were lost, `EMSGSIZE` for one
    /// that is larger than the buffer: it is lost, and the next of its size is not.
    pub(crate) fn receive(&self, each: &mut dyn FnMut(Answer<'_>)) -> nix::Result<()> {
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
        let Some(datagram) = buffer.get(..length) else {
            buffer.resize(length, 0);
            return Err(Errno::EMSGSIZE);
        };
        for answer in Answer::each(datagram) {
            each(answer.ok_or(Errno::EBADMSG)?);
        }
        Ok(())
    }

    /// Makes the kernel's buffers as small as it allows.
    #[cfg(test)]
    pub(crate) fn shrink(&self) {
        nix::sys::socket::setsockopt(&self.fd, sockopt::RcvBuf, &1).unwrap();
        nix::sys::socket::setsockopt(&self.fd, sockopt::SndBuf, &1).unwrap();
    }

    /// Makes the buffer that datagrams are read into too small for an object.
    #[cfg(test)]
    pub(crate) fn shrink_buffer(&self) {
        *self.buffer.borrow_mut() = vec![0; 64];
    }

    /// Remembers that an event came while something else was waited for.
    pub(crate) fn hear(&self) {
        self.heard.set(true);
    }

    /// Whether one came since they were last forgotten.
    pub(crate) fn has_heard(&self) -> bool {
        self.heard.get()
    }

    /// Forgets that any did.
    pub(crate) fn unhear(&self) {
        self.heard.set(false);
    }

    /// How many bytes have come in so far.
    pub fn received(&self) -> usize {
        self.received.get()
    }

    /// Waits until there is something to read: false when `limit` has passed, or a signal came.
    pub(crate) fn wait(&self, limit: Duration) -> bool {
        let _waiting = cni_trace::phase("wait");
        // Rounded up, or the last millisecond would be spent in a busy loop.
        let timeout = PollTimeout::try_from(limit.as_millis() + 1).unwrap_or(PollTimeout::MAX);
        poll(&mut [PollFd::new(self.fd.as_fd(), PollFlags::POLLIN)], timeout) == Ok(1)
    }
}
