//! A blocking rtnetlink socket, born in one namespace and talking to that one for good. The connection underneath is
//! rtnetlink's, on a current-thread tokio runtime that nobody outside this module sees.

pub(crate) mod attr;
pub(crate) mod message;
mod refused;

use std::os::fd::{AsRawFd, BorrowedFd};
use std::rc::Rc;

use cni_types::{Code, Error, Result};
use futures_util::StreamExt;
use nix::errno::Errno;
use rtnetlink::packet_core::{NetlinkHeader, NetlinkMessage, NetlinkPayload};
use rtnetlink::proto::{ConnectionHandle, new_connection};
use rtnetlink::sys::SocketAddr;
use rtnetlink::sys::protocols::NETLINK_ROUTE;
use tokio::runtime::{Builder, Runtime};

use crate::netns::Netns;
use message::{Message, Request};
pub use refused::Refused;

/// `NLM_F_DUMP_INTR`: the table changed while it was dumped.
const NLM_F_DUMP_INTR: u16 = 0x10;
/// How often an interrupted dump is started over.
const DUMP_TRIES: u32 = 10;

/// A socket in one namespace. Cloning it shares the socket.
#[derive(Clone)]
pub struct Rtnl {
    runtime: Rc<Runtime>,
    handle: ConnectionHandle<Message>,
}

impl Rtnl {
    /// A socket in the namespace this thread is in.
    ///
    /// # Errors
    /// Code 100 when the kernel gives no socket.
    pub fn open() -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_io().build();
        let runtime = runtime
            .map_err(|e| Error::new(Code::KERNEL, "cannot start the netlink event loop").because(e))?;
        Self::connect(Rc::new(runtime))
    }

    /// A second socket, born in `netns`.
    ///
    /// # Errors
    /// Code 8 when the namespace cannot be entered, code 100 when the kernel gives no socket.
    pub fn open_in(&self, netns: &Netns) -> Result<Self> {
        netns.enter(|| Self::connect(Rc::clone(&self.runtime)))?
    }

    fn connect(runtime: Rc<Runtime>) -> Result<Self> {
        let failed =
            |e: std::io::Error| Error::new(Code::KERNEL, "cannot open a route netlink socket").because(e);
        let inside = runtime.enter();
        let (mut connection, handle, _) = new_connection::<Message>(NETLINK_ROUTE).map_err(failed)?;
        // The final message of an answer tells a complete one from a broken connection, and may be the only one to
        // say that a dump was interrupted.
        connection.set_forward_done(true);
        connection.set_forward_ack(true);
        let socket = connection.socket_mut();
        // SAFETY: the socket outlives this borrow of its descriptor.
        let fd = unsafe { BorrowedFd::borrow_raw(socket.as_raw_fd()) };
        for option in [libc::NETLINK_EXT_ACK, libc::NETLINK_CAP_ACK, libc::NETLINK_GET_STRICT_CHK] {
            set_option(&fd, option).map_err(failed)?;
        }
        runtime.spawn(connection);
        drop(inside);
        Ok(Self { runtime, handle })
    }

    /// One request. Replies of a dump come complete and consistent.
    pub(crate) fn request(&self, request: Request) -> std::result::Result<Vec<Message>, Refused> {
        self.pipeline(vec![request]).pop().unwrap_or(Ok(Vec::new()))
    }

    /// Sends all requests before reading the first answer; the kernel works on them in order, also after one it
    /// refused. The answers are in the requests' order.
    pub(crate) fn pipeline(&self, requests: Vec<Request>) -> Vec<std::result::Result<Vec<Message>, Refused>> {
        self.runtime.block_on(async {
            let mut pending = Vec::with_capacity(requests.len());
            for request in requests {
                pending.push((self.send(&request), request));
            }
            let mut answers = Vec::with_capacity(pending.len());
            for (answer, request) in pending {
                answers.push(self.finish(answer, &request).await);
            }
            answers
        })
    }

    /// [`Rtnl::pipeline`], stopping at the first refusal.
    pub(crate) fn all(&self, requests: Vec<Request>) -> std::result::Result<(), Refused> {
        self.pipeline(requests).into_iter().try_for_each(|answer| answer.map(drop))
    }

    fn send(
        &self,
        request: &Request,
    ) -> Option<impl futures_util::Stream<Item = NetlinkMessage<Message>> + use<>> {
        let mut header = NetlinkHeader::default();
        header.flags = request.flags;
        let message = NetlinkMessage::new(header, NetlinkPayload::InnerMessage(request.message.clone()));
        self.handle.request(message, SocketAddr::new(0, 0)).ok()
    }

    async fn finish<S>(
        &self,
        answer: Option<S>,
        request: &Request,
    ) -> std::result::Result<Vec<Message>, Refused>
    where
        S: futures_util::Stream<Item = NetlinkMessage<Message>> + Unpin,
    {
        let mut answer = collect(answer, request).await?;
        for _ in 1..DUMP_TRIES {
            if !answer.interrupted {
                return Ok(answer.messages);
            }
            answer = collect(self.send(request), request).await?;
        }
        if answer.interrupted {
            return Err(Refused::new(
                &request.doing,
                Errno::EINTR,
                "the table kept changing during the dump".into(),
            ));
        }
        Ok(answer.messages)
    }
}

struct Answer {
    messages: Vec<Message>,
    interrupted: bool,
}

async fn collect<S>(answer: Option<S>, request: &Request) -> std::result::Result<Answer, Refused>
where
    S: futures_util::Stream<Item = NetlinkMessage<Message>> + Unpin,
{
    let closed = || Refused::new(&request.doing, Errno::ECONNABORTED, "the netlink socket was closed".into());
    let mut stream = answer.ok_or_else(closed)?;
    let mut messages = Vec::new();
    let mut interrupted = false;
    let mut complete = false;
    while let Some(reply) = stream.next().await {
        interrupted |= reply.header.flags & NLM_F_DUMP_INTR != 0;
        match reply.payload {
            NetlinkPayload::InnerMessage(message) => messages.push(message),
            NetlinkPayload::Error(error) => {
                if let Some(code) = error.code {
                    return Err(Refused::from_message(
                        &request.doing,
                        reply.header.flags,
                        code,
                        &error.header,
                    ));
                }
                complete = true;
            }
            NetlinkPayload::Done(end) => {
                complete = true;
                if end.code < 0 {
                    return Err(Refused::new(&request.doing, Errno::from_raw(-end.code), String::new()));
                }
            }
            _ => {}
        }
    }
    if complete { Ok(Answer { messages, interrupted }) } else { Err(closed()) }
}

/// Size of a C `int`, the value of a boolean socket option.
const INT_SIZE: libc::socklen_t = 4;

fn set_option(socket: &BorrowedFd<'_>, option: i32) -> std::io::Result<()> {
    let on: libc::c_int = 1;
    // SAFETY: the option takes an int, which lives across the call.
    let set = unsafe {
        libc::setsockopt(socket.as_raw_fd(), libc::SOL_NETLINK, option, (&raw const on).cast(), INT_SIZE)
    };
    if set == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}
