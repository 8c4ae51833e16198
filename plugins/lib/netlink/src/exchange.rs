//! Requests and what comes back for them. Two things are decided here and nowhere else: how many requests go in one
//! write, and which lists are good enough.

use std::time::{Duration, Instant};

use nix::errno::Errno;

use crate::{Answer, DUMP, Socket, put_request};

/// Bytes of the receive buffer that an acknowledgement takes at most, with the kernel's words in it; without
/// `NETLINK_CAP_ACK` the refused request comes on top.
const ACK_ROOM: usize = 1536;
/// Bytes that one object takes: its message is allocated for the largest there may be (`NLMSG_GOODSIZE`).
const OBJECT_ROOM: usize = 9 << 10;
/// How often a list that need not be exact is asked for, when changes interrupt it.
const ROUGH_TRIES: u32 = 5;
/// How long a list that has to be exact is started over.
const EXACT_LIMIT: Duration = Duration::from_secs(5);

/// A request: its message type, `NLM_F_*`, and the fixed header with the attributes.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The message type.
    pub kind: u16,
    /// `NLM_F_*`
    pub flags: u16,
    /// What is behind the netlink header; its length must be a multiple of 4.
    pub body: &'a [u8],
    /// Whether the kernel answers with an object. Then no acknowledgement need be asked for.
    pub is_lookup: bool,
}

impl Request<'_> {
    fn room(&self) -> usize {
        ACK_ROOM + self.body.len() + if self.is_lookup { OBJECT_ROOM } else { 0 }
    }
}

/// Why the kernel did not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The errno.
    pub errno: Errno,
    /// The kernel's own words; often none.
    pub text: String,
}

impl From<Errno> for Refusal {
    fn from(errno: Errno) -> Self {
        Self { errno, text: String::new() }
    }
}

/// The objects that came back for a request, each without the netlink header.
pub type Objects = std::result::Result<Vec<Vec<u8>>, Refusal>;

/// How good a list has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// As it was at one moment: what is not in it is not there.
    Exact,
    /// For counting, and for finding by a tag what nobody else touches: of the objects that come and go meanwhile, some
    /// may be missing or twice.
    Rough,
}

/// What came back so far.
#[derive(Default)]
struct Reply {
    objects: Vec<Vec<u8>>,
    interrupted: bool,
    end: Option<std::result::Result<(), Refusal>>,
}

impl Socket {
    /// Makes the requests in order, also after one that was refused; the answers are in the requests' order. They go in
    /// one write, or in several where the answers would not fit into the socket's buffer. None may be a dump: see
    /// [`Socket::list`].
    pub fn exchange(&self, requests: &[Request<'_>]) -> Vec<Objects> {
        let mut answers = Vec::with_capacity(requests.len());
        let mut rest = requests;
        while !rest.is_empty() {
            let (burst, more) = rest.split_at(self.burst(rest));
            rest = more;
            let replies = self.converse(burst);
            answers.extend(replies.into_iter().map(|reply| match reply.end {
                Some(end) => end.map(|()| reply.objects),
                None => Err(Errno::EBADMSG.into()),
            }));
        }
        answers
    }

    /// Lists objects. A list that a change interrupts is started over: for a rough one a few times, then it is taken as it
    /// is; for an exact one for up to five seconds.
    ///
    /// # Errors
    /// `EINTR` when changes kept interrupting it, else the kernel's refusal.
    pub fn list(&self, request: Request<'_>, precision: Precision) -> Objects {
        let request = Request { flags: request.flags | DUMP, ..request };
        let deadline = Instant::now() + EXACT_LIMIT;
        let mut tries = 0;
        loop {
            tries += 1;
            let reply = self.converse(&[request]).pop().unwrap_or_default();
            let interrupted = match reply.end {
                Some(Err(refusal)) if refusal.errno != Errno::EINTR => return Err(refusal),
                Some(Err(_)) => true,
                Some(Ok(())) => reply.interrupted,
                None => return Err(Errno::EBADMSG.into()),
            };
            if !interrupted || precision == Precision::Rough && tries >= ROUGH_TRIES {
                return Ok(reply.objects);
            }
            if Instant::now() >= deadline {
                return Err(Errno::EINTR.into());
            }
        }
    }

    /// How many of the requests may go in one write: at least one.
    fn burst(&self, requests: &[Request<'_>]) -> usize {
        if requests.len() < 2 {
            return requests.len();
        }
        let (mut room, mut bytes) = self.room();
        let fits = requests.iter().take_while(|request| {
            let size = crate::HEADER + request.body.len();
            let fits = request.room() <= room && size <= bytes;
            (room, bytes) = (room.saturating_sub(request.room()), bytes.saturating_sub(size));
            fits
        });
        fits.count().max(1)
    }

    fn converse(&self, requests: &[Request<'_>]) -> Vec<Reply> {
        let first = self.number(requests.len());
        let mut replies: Vec<Reply> = requests.iter().map(|_| Reply::default()).collect();
        let mut out = Vec::with_capacity(256 * requests.len());
        for (sequence, request) in (first..).zip(requests) {
            put_request(&mut out, request.kind, request.flags, sequence, request.body);
        }
        let mut pending = requests.len();
        let mut result = self.send(&out);
        while result.is_ok() && pending > 0 {
            result = self.receive(&mut |answer| {
                let at = answer.sequence().checked_sub(first).map(|n| n as usize);
                let asked = at.and_then(|at| Some((requests.get(at)?, replies.get_mut(at)?)));
                // Left over from an exchange that was broken off, or an event.
                let Some((request, reply)) = asked else { return self.hear() };
                reply.interrupted |= answer.is_interrupted();
                let end = match answer {
                    Answer::Object { body, .. } => {
                        reply.objects.push(body.to_vec());
                        // Without an acknowledgement behind it, the object is all.
                        (request.is_lookup && request.flags & (DUMP | crate::ACK) == 0).then_some(Ok(()))
                    }
                    Answer::Done { errno, text, .. } => {
                        let refusal = |errno| Refusal { errno, text: text.to_owned() };
                        Some(errno.map_or(Ok(()), |errno| Err(refusal(errno))))
                    }
                };
                if end.is_some() && reply.end.is_none() {
                    pending -= 1;
                    reply.end = end;
                }
            });
        }
        if let Err(errno) = result {
            for reply in replies.iter_mut().filter(|reply| reply.end.is_none()) {
                reply.end = Some(Err(errno.into()));
            }
        }
        replies
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Protocol;

    /// `RTM_GETLINK`, `RTM_DELLINK`
    const GET: u16 = 18;
    const DELETE: u16 = 17;

    /// A socket whose receive buffer is as small as the kernel allows, or as it is by default.
    fn socket(small: bool) -> Socket {
        let socket = Socket::open(Protocol::Route).unwrap();
        if small {
            socket.shrink();
        }
        socket
    }

    fn link(index: u32) -> [u8; 16] {
        let mut header = [0; 16];
        header[4..8].copy_from_slice(&index.to_ne_bytes());
        header
    }

    #[test]
    fn the_answers_of_a_burst_fit_into_any_buffer() {
        let (lo, none) = (link(1), link(0x7fff_fff0));
        let request = |kind, body, is_lookup| {
            let flags = if is_lookup { 0 } else { crate::ACK };
            Request { kind, flags, body, is_lookup }
        };
        for small in [false, true] {
            let socket = socket(small);
            let mut requests = vec![request(GET, &lo[..], true); 700];
            requests.extend(vec![request(DELETE, &none[..], false); 1500]);
            let answers = socket.exchange(&requests);
            assert_eq!(answers.len(), requests.len());
            for (n, answer) in answers.iter().enumerate() {
                match answer {
                    Ok(objects) => assert!(n < 700 && objects.len() == 1, "{n}"),
                    // Refused for the link, or to an unprivileged user.
                    Err(refusal) => {
                        assert!(
                            n >= 700 && [Errno::ENODEV, Errno::EPERM].contains(&refusal.errno),
                            "{n}: {refusal:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_list_is_whole_in_any_buffer() {
        let any = link(0);
        let request = Request { kind: GET, flags: 0, body: &any, is_lookup: true };
        for precision in [Precision::Exact, Precision::Rough] {
            assert!(!socket(true).list(request, precision).unwrap().is_empty());
        }
    }
}
