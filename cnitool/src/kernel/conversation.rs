//! Questions to the kernel in the namespace of the thread that asks. Without a runtime: a dump is there when it is
//! asked for, so there is nothing to wait for at once, and a thousand namespaces are a thousand sockets.

use std::io;

use netlink_packet_route::RouteNetlinkMessage;
use rtnetlink::packet_core::{
    DecodeError, NLM_F_DUMP, NLM_F_REQUEST, NLMSG_DONE, NLMSG_ERROR, NLMSG_NOOP, NLMSG_OVERRUN,
    NetlinkBuffer, NetlinkMessage, NetlinkPayload,
};
use rtnetlink::sys::{Socket, protocols::NETLINK_ROUTE};

/// Set in an answer when what is listed has changed meanwhile (`linux/netlink.h`).
const DUMP_INTERRUPTED: u16 = 0x10;
/// How often a list that changes is read before what there is counts.
const TRIES: usize = 5;
/// Bytes. The kernel lists at most 32 KiB at once, but for a link that is longer by itself.
const ROOM: usize = 256 << 10;

/// Where answers are received, one read after the other. A thread has one for all of its sockets.
pub(super) struct Answers(Vec<u8>);

impl Answers {
    pub(super) fn new() -> Self {
        Self(Vec::with_capacity(ROOM))
    }
}

/// A socket, and what it has been asked.
pub(super) struct Conversation<'a> {
    socket: Socket,
    answers: &'a mut Vec<u8>,
    number: u32,
}

impl<'a> Conversation<'a> {
    /// Opens a socket in this thread's namespace.
    ///
    /// # Errors
    /// The kernel's.
    pub(super) fn open(answers: &'a mut Answers) -> io::Result<Self> {
        Ok(Self { socket: Socket::new(NETLINK_ROUTE)?, answers: &mut answers.0, number: 0 })
    }

    /// What `read` makes of each thing that the kernel lists for `request`. A list that has changed while it was read
    /// is read again.
    ///
    /// # Errors
    /// The kernel's, and what cannot be read: a list that lacks it would be taken for all there is.
    pub(super) fn list<T>(
        &mut self,
        request: &RouteNetlinkMessage,
        read: impl Fn(&[u8]) -> Result<T, DecodeError>,
    ) -> io::Result<Vec<T>> {
        let mut listed = Vec::new();
        for _ in 0..TRIES {
            listed.clear();
            self.ask(request)?;
            if self.receive(&mut |thing| read(thing).map(|thing| listed.push(thing)))? {
                break;
            }
        }
        Ok(listed)
    }

    fn ask(&mut self, request: &RouteNetlinkMessage) -> io::Result<()> {
        self.number += 1;
        let mut message = NetlinkMessage::from(request.clone());
        message.header.flags = NLM_F_REQUEST | NLM_F_DUMP;
        message.header.sequence_number = self.number;
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        self.socket.send(&bytes, 0).map(drop)
    }

    /// Gives the listed things to `take`; whether the list is whole.
    fn receive(&mut self, take: &mut dyn FnMut(&[u8]) -> Result<(), DecodeError>) -> io::Result<bool> {
        let mut is_whole = true;
        loop {
            let mut rest = self.receive_once()?;
            while !rest.is_empty() {
                let answer = NetlinkBuffer::new_checked(rest).map_err(unreadable)?;
                is_whole &= answer.flags() & DUMP_INTERRUPTED == 0;
                match answer.message_type() {
                    NLMSG_DONE | NLMSG_ERROR | NLMSG_NOOP | NLMSG_OVERRUN => {
                        if is_end(rest)? {
                            return Ok(is_whole);
                        }
                    }
                    _ => take(answer.payload()).map_err(unreadable)?,
                }
                let length = usize::try_from(answer.length()).unwrap_or(usize::MAX);
                rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
            }
        }
    }

    fn receive_once(&mut self) -> io::Result<&[u8]> {
        loop {
            self.answers.clear();
            match self.socket.recv(self.answers, libc::MSG_TRUNC) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
                Ok(length) if length > self.answers.len() => {
                    return Err(unreadable(format!("an answer of {length} bytes")));
                }
                Ok(_) => return Ok(self.answers),
            }
        }
    }
}

/// Whether the message ends a list.
///
/// # Errors
/// Those that it tells of.
fn is_end(message: &[u8]) -> io::Result<bool> {
    match NetlinkMessage::<RouteNetlinkMessage>::deserialize(message).map_err(unreadable)?.payload {
        NetlinkPayload::Done(done) if done.code < 0 => Err(io::Error::from_raw_os_error(-done.code)),
        NetlinkPayload::Done(_) => Ok(true),
        NetlinkPayload::Error(refused) => Err(refused.to_io()),
        _ => Ok(false),
    }
}

fn unreadable(why: impl ToString) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("the kernel's answer cannot be read: {}", why.to_string()),
    )
}
