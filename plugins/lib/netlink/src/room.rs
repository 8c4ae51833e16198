//! How many requests go in one write: as many as the socket's buffers have room for, the write's own and the answers'.

use crate::request::{Answered, Message};
use crate::wire::HEADER;

/// Bytes of the receive buffer that a word takes at most, with the kernel's own text in it; without `NETLINK_CAP_ACK`
/// the refused request comes on top.
const WORD: usize = 1536;
/// Bytes that one object takes: its message is allocated for the largest there may be (`NLMSG_GOODSIZE`).
const OBJECT: usize = 9 << 10;
/// What the kernel takes off the send buffer (`netlink_sendmsg`, `net/netlink/af_netlink.c`).
const RESERVED: usize = 32;
/// Writes larger than this may need larger buffers than sockets have by default: for themselves, and for an answer of
/// about 10 times its size to every message.
pub(crate) const SMALL: usize = 16 << 10;

/// Bytes of a socket's buffers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    answers: usize,
    write: usize,
}

impl Room {
    /// Of buffers that are so large.
    pub(crate) fn of(receive: usize, send: usize) -> Self {
        Self { answers: receive, write: send.saturating_sub(RESERVED).min(SMALL) }
    }

    /// How many of the messages have room: at least one.
    pub(crate) fn takes(mut self, messages: &[Message<'_>]) -> usize {
        let fits = messages.iter().take_while(|message| {
            let size = HEADER + message.request.attrs.as_bytes().len();
            let object = if message.answer == Answered::Object { OBJECT } else { 0 };
            let answer = WORD + size - HEADER + object;
            let fits = answer <= self.answers && size <= self.write;
            self.answers = self.answers.saturating_sub(answer);
            self.write = self.write.saturating_sub(size);
            fits
        });
        fits.count().max(1)
    }
}
