//! The file descriptor, and the datagrams that come out of it.

use std::cell::{Cell, RefCell};
use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, setsockopt, socket, sockopt,
};

use crate::nft::attr::text;
use crate::nft::message::{GENMSG, HEADER};

/// Large enough for every datagram of a dump (`netlink_dump`, `net/netlink/af_netlink.c`: at most 32 KiB).
const BUFFER: usize = 64 << 10;
/// Batches larger than this may need larger buffers than sockets have by default: for themselves, and for an answer
/// of about 10 times its size to every message.
const SMALL: usize = 16 << 10;
// linux/netlink.h
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLM_F_DUMP_INTR: u16 = 0x10;
const NLM_F_CAPPED: u16 = 0x100;
const NLM_F_ACK_TLVS: u16 = 0x200;
const NLMSGERR_ATTR_MSG: u16 = 1;

/// One message from the kernel.
pub(super) enum Answer<'a> {
    /// An object's attributes.
    Object { sequence: u32, flags: u16, attrs: &'a [u8] },
    /// The end of a list, an acknowledgement, or an error with the kernel's words.
    Done { sequence: u32, flags: u16, errno: Option<Errno>, text: &'a str },
}

impl Answer<'_> {
    pub(super) fn sequence(&self) -> u32 {
        match self {
            Self::Object { sequence, .. } | Self::Done { sequence, .. } => *sequence,
        }
    }

    /// Whether a change made this list inconsistent.
    pub(super) fn interrupted(&self) -> bool {
        let (Self::Object { flags, .. } | Self::Done { flags, .. }) = self;
        flags & NLM_F_DUMP_INTR != 0
    }
}

pub(super) struct Wire {
    fd: OwnedFd,
    buffer: RefCell<Vec<u8>>,
    received: Cell<usize>,
}

impl Wire {
    pub(super) fn open() -> nix::Result<Self> {
        let fd = socket(
            AddressFamily::Netlink,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC,
            SockProtocol::NetlinkNetFilter,
        )?;
        // Errors then come with the kernel's words and without a copy of what was sent.
        enable(&fd, libc::NETLINK_EXT_ACK)?;
        enable(&fd, libc::NETLINK_CAP_ACK)?;
        Ok(Self { fd, buffer: RefCell::new(vec![0; BUFFER]), received: Cell::new(0) })
    }

    pub(super) fn send(&self, bytes: &[u8]) -> nix::Result<()> {
        if bytes.len() > SMALL {
            // Old kernels refuse this in a user namespace. Then the default has to do.
            let _ = setsockopt(&self.fd, sockopt::SndBufForce, &(bytes.len() * 2));
            let _ = setsockopt(&self.fd, sockopt::RcvBufForce, &(bytes.len() * 16));
        }
        send(self.fd.as_raw_fd(), bytes, MsgFlags::empty()).map(|_| ())
    }

    pub(super) fn received(&self) -> usize {
        self.received.get()
    }

    /// Reads one datagram and calls `each` with every message in it.
    pub(super) fn receive(&self, each: &mut dyn FnMut(Answer<'_>)) -> nix::Result<()> {
        let mut buffer = self.buffer.borrow_mut();
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_TRUNC;
        let len = loop {
            match recv(self.fd.as_raw_fd(), &mut buffer, flags) {
                Err(Errno::EINTR) => {}
                result => break result?,
            }
        };
        self.received.set(self.received.get() + len);
        // With MSG_TRUNC the length is the datagram's, even where the buffer is smaller.
        let mut rest = buffer.get(..len).ok_or(Errno::EMSGSIZE)?;
        while !rest.is_empty() {
            let (message, tail) = split(rest).ok_or(Errno::EBADMSG)?;
            rest = tail;
            if let Some(answer) = read(message) {
                each(answer);
            }
        }
        Ok(())
    }
}

fn enable(fd: &OwnedFd, option: libc::c_int) -> nix::Result<()> {
    let on: libc::c_int = 1;
    #[allow(clippy::cast_possible_truncation, reason = "the size of an int")]
    let len = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: `on` outlives the call and `len` is its size.
    let result =
        unsafe { libc::setsockopt(fd.as_raw_fd(), libc::SOL_NETLINK, option, (&raw const on).cast(), len) };
    Errno::result(result).map(|_| ())
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let len = word(bytes, 0)? as usize;
    let message = bytes.get(..len).filter(|_| len >= HEADER)?;
    Some((message, bytes.get(len.next_multiple_of(4)..).unwrap_or(&[])))
}

fn read(message: &[u8]) -> Option<Answer<'_>> {
    let (kind, flags, sequence) = (half(message, 4)?, half(message, 6)?, word(message, 8)?);
    let body = message.get(HEADER..)?;
    if kind != NLMSG_ERROR && kind != NLMSG_DONE {
        return Some(Answer::Object { sequence, flags, attrs: body.get(GENMSG..)? });
    }
    let error = i32::from_ne_bytes(word(body, 0).unwrap_or(0).to_ne_bytes());
    let errno = (error != 0).then(|| Errno::from_raw(error.saturating_neg()));
    let after = if kind == NLMSG_DONE {
        4
    } else if flags & NLM_F_CAPPED != 0 {
        4 + HEADER
    } else {
        (word(body, 4).unwrap_or(0) as usize).saturating_add(4)
    };
    let words = if flags & NLM_F_ACK_TLVS == 0 {
        None
    } else {
        body.get(after.next_multiple_of(4)..).and_then(|tlvs| text(tlvs, NLMSGERR_ATTR_MSG))
    };
    Some(Answer::Done { sequence, flags, errno, text: words.unwrap_or("") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(mut bytes: &[u8]) -> usize {
        let mut count = 0;
        while let Some((message, tail)) = split(bytes) {
            count += usize::from(read(message).is_some());
            bytes = tail;
        }
        count
    }

    #[test]
    fn an_error_is_read_with_the_kernels_words() {
        let mut message = vec![0; HEADER + 4 + HEADER];
        message[4] = 2;
        message[6..8].copy_from_slice(&(NLM_F_CAPPED | NLM_F_ACK_TLVS).to_ne_bytes());
        message[8] = 7;
        message[16..20].copy_from_slice(&(-17i32).to_ne_bytes());
        message.extend([7, 0, 1, 0, b'n', b'o', 0, 0]);
        match read(&message) {
            Some(Answer::Done { sequence: 7, errno: Some(Errno::EEXIST), text: "no", .. }) => {}
            _ => panic!("not read"),
        }
    }

    #[test]
    fn no_datagram_makes_it_panic() {
        // Every prefix, and every single byte changed to an extreme, of two messages.
        let mut golden = vec![0; HEADER + 4 + HEADER + 8];
        for (at, byte) in [(0, 44), (4, 2), (7, 3), (36, 8), (38, 1)] {
            golden[at] = byte;
        }
        golden.extend_from_within(..);
        assert_eq!(messages(&golden), 2);
        for end in 0..golden.len() {
            assert!(messages(&golden[..end]) <= 1);
            for byte in [0, 1, 0x7f, 0xff] {
                let mut bytes = golden.clone();
                bytes[end] = byte;
                messages(&bytes);
            }
        }
    }
}
