//! A blocking rtnetlink socket, born in one namespace and talking to that one for good.

pub(crate) mod message;
mod refused;

use std::cell::Cell;
use std::rc::Rc;

use cni_netlink::{ACK, Answer, Errno, Protocol, Socket, put_request};
use cni_types::{Code, Error, Result};

use crate::netns::Netns;
use message::{Body, Request};
pub use refused::Refused;

/// How often an interrupted dump is started over.
const DUMP_TRIES: u32 = 10;

/// A socket in one namespace. Cloning it shares the socket.
#[derive(Clone)]
pub struct Rtnl(Rc<Inner>);

struct Inner {
    socket: Socket,
    sequence: Cell<u32>,
}

/// What came back for one request.
#[derive(Default)]
struct Reply {
    bodies: Vec<Body>,
    interrupted: bool,
    /// The final message: success, or errno and text.
    end: Option<std::result::Result<(), (Errno, String)>>,
}

impl Rtnl {
    /// A socket in the namespace this thread is in.
    ///
    /// # Errors
    /// Code 100 when the kernel gives no socket.
    pub fn open() -> Result<Self> {
        Self::over(Socket::open(Protocol::Route))
    }

    /// A socket born in `netns`.
    ///
    /// # Errors
    /// Code 8 when the namespace cannot be entered, code 100 when the kernel gives no socket.
    pub fn open_in(netns: &Netns) -> Result<Self> {
        Self::over(netns.enter(|| Socket::open(Protocol::Route))?)
    }

    fn over(socket: std::result::Result<Socket, Errno>) -> Result<Self> {
        let socket =
            socket.map_err(|e| Error::new(Code::KERNEL, "cannot open a route netlink socket").because(e))?;
        Ok(Self(Rc::new(Inner { socket, sequence: Cell::new(1) })))
    }

    /// What the kernel knows the socket's namespace by, whatever path and inode it has: unique until the machine boots
    /// again. `None` before Linux 5.14.
    pub fn netns_cookie(&self) -> Option<u64> {
        self.0.socket.netns_cookie()
    }

    /// One request. Answers of a dump come complete and consistent.
    pub(crate) fn request(&self, request: Request) -> std::result::Result<Vec<Body>, Refused> {
        self.pipeline(vec![request]).pop().unwrap_or(Ok(Vec::new()))
    }

    /// [`Rtnl::pipeline`], stopping at the first refusal.
    pub(crate) fn all(&self, requests: Vec<Request>) -> std::result::Result<(), Refused> {
        self.pipeline(requests).into_iter().try_for_each(|answer| answer.map(drop))
    }

    /// Sends all requests in one write. The kernel works on them in order, also after one it refused. The answers are
    /// in the requests' order.
    pub(crate) fn pipeline(&self, requests: Vec<Request>) -> Vec<std::result::Result<Vec<Body>, Refused>> {
        let mut replies = self.exchange(&requests);
        requests
            .iter()
            .enumerate()
            .map(|(i, request)| {
                let mut reply = std::mem::take(&mut replies[i]);
                for _ in 1..DUMP_TRIES {
                    if !reply.interrupted {
                        break;
                    }
                    reply = self.exchange(std::slice::from_ref(request)).pop().unwrap_or_default();
                }
                match reply.end {
                    Some(Ok(())) if reply.interrupted => Err(Refused::new(&request.doing, Errno::EINTR)),
                    Some(Ok(())) => Ok(reply.bodies),
                    Some(Err((errno, text))) => Err(Refused { text, ..Refused::new(&request.doing, errno) }),
                    None => Err(Refused::new(&request.doing, Errno::EBADMSG)),
                }
            })
            .collect()
    }

    fn exchange(&self, requests: &[Request]) -> Vec<Reply> {
        let first = self.0.sequence.get();
        let mut replies: Vec<Reply> = requests.iter().map(|_| Reply::default()).collect();
        let mut out = Vec::with_capacity(256 * requests.len());
        let mut sequence = first;
        for request in requests {
            put_request(&mut out, request.kind, request.flags | ACK, sequence, request.body.as_bytes());
            sequence = sequence.wrapping_add(1);
        }
        self.0.sequence.set(sequence);
        let mut pending = requests.len();
        let mut result = self.0.socket.send(&out);
        while result.is_ok() && pending > 0 {
            result = self.0.socket.receive(&mut |answer| {
                // Anything else is left over from an exchange that was broken off.
                let Some(reply) = replies.get_mut(answer.sequence().wrapping_sub(first) as usize) else {
                    return;
                };
                reply.interrupted |= answer.is_interrupted();
                match answer {
                    Answer::Object { body, .. } => reply.bodies.push(body.to_vec()),
                    Answer::Done { errno, text, .. } => {
                        pending = pending.saturating_sub(1);
                        reply.end = Some(errno.map_or(Ok(()), |errno| Err((errno, text.to_owned()))));
                    }
                }
            });
        }
        if let Err(errno) = result {
            for reply in replies.iter_mut().filter(|reply| reply.end.is_none()) {
                reply.end = Some(Err((errno, String::new())));
            }
        }
        replies
    }
}
