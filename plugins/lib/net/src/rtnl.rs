//! A blocking rtnetlink socket, born in one namespace and talking to that one for good.

use std::rc::Rc;

use cni_netlink::{Protocol, Refused, Socket};
use cni_types::Result;

use crate::netns::Netns;

/// A socket in one namespace. Cloning it shares the socket.
#[derive(Clone)]
pub struct Rtnl {
    pub(crate) socket: Rc<Socket>,
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

    fn over(socket: std::result::Result<Socket, Refused>) -> Result<Self> {
        Ok(Self { socket: Rc::new(socket?) })
    }

    /// What the kernel knows the socket's namespace by, whatever path and inode it has: unique until the machine boots
    /// again. `None` before Linux 5.14.
    pub fn netns_cookie(&self) -> Option<u64> {
        self.socket.netns_cookie()
    }
}
