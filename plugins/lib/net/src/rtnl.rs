//! A blocking rtnetlink socket, born in one namespace and talking to that one for good.

pub(crate) mod message;
mod refused;

use std::rc::Rc;
use std::time::{Duration, Instant};

use cni_netlink::{Errno, Precision, Protocol, Socket};
use cni_types::{Code, Error, Result};

use crate::events::{LISTEN, unheard};
use crate::netns::Netns;
use message::{Body, Request};
pub use refused::Refused;

/// A socket in one namespace. Cloning it shares the socket.
#[derive(Clone)]
pub struct Rtnl(Rc<Socket>);

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
        Ok(Self(Rc::new(socket)))
    }

    /// What the kernel knows the socket's namespace by, whatever path and inode it has: unique until the machine boots
    /// again. `None` before Linux 5.14.
    pub fn netns_cookie(&self) -> Option<u64> {
        self.0.netns_cookie()
    }

    /// One request.
    pub(crate) fn request(&self, request: Request) -> std::result::Result<Vec<Body>, Refused> {
        self.pipeline(vec![request]).pop().unwrap_or(Ok(Vec::new()))
    }

    /// [`Rtnl::pipeline`], stopping at the first refusal.
    pub(crate) fn all(&self, requests: Vec<Request>) -> std::result::Result<(), Refused> {
        self.pipeline(requests).into_iter().try_for_each(|answer| answer.map(drop))
    }

    /// Makes all requests in order, also after one that the kernel refused: in one write, if there is room for the
    /// answers. They are in the requests' order.
    pub(crate) fn pipeline(&self, requests: Vec<Request>) -> Vec<std::result::Result<Vec<Body>, Refused>> {
        let wire: Vec<_> = requests.iter().map(Request::wire).collect();
        let answers = self.0.exchange(&wire).into_iter().zip(&requests);
        answers.map(|(answer, request)| answer.map_err(|refusal| Refused::new(request, refusal))).collect()
    }

    /// A list, as precise as it has to be.
    pub(crate) fn list(
        &self,
        request: &Request,
        precision: Precision,
    ) -> std::result::Result<Vec<Body>, Refused> {
        self.0.list(request.wire(), precision).map_err(|refusal| Refused::new(request, refusal))
    }

    /// Asks until there is an answer: at once, after every event of the multicast group (`RTNLGRP_*`) in the socket's
    /// namespace, and when `limit` has passed.
    ///
    /// # Errors
    /// What `ask` fails with; code 100 when the group cannot be heard.
    pub(crate) fn ask_until<T>(
        &self,
        group: u32,
        limit: Duration,
        ask: impl Fn() -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        let deadline = Instant::now() + limit;
        self.0.join(group).map_err(unheard)?;
        let answer = loop {
            self.0.forget_events();
            let left = deadline.saturating_duration_since(Instant::now());
            let answer = ask();
            if !matches!(answer, Ok(None)) || left.is_zero() {
                break answer;
            }
            self.0.wait_for_event(left.min(LISTEN));
        };
        self.0.leave();
        answer
    }
}
