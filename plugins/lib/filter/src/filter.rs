//! The packet filter of one network namespace.

use std::cell::OnceCell;
use std::rc::Rc;

use cni_types::{Code, Error, Result};

use crate::gathered::Gathered;
use crate::nft::Socket;

/// The packet filter of the network namespace the calling thread is in when it is first used. Opens nothing before
/// that. Keep it alive until the very last act of a plugin: closing its socket after a delete waits 8–16 ms for an
/// RCU grace period, and that wait should overlap with the one of the link's delete.
#[derive(Default)]
pub struct Filter {
    socket: OnceCell<Option<Socket>>,
    pub(crate) gathered: Rc<Gathered>,
}

impl Filter {
    /// A filter that has opened nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The netlink socket.
    ///
    /// # Errors
    /// Code 101 when the kernel has no nftables or refuses the socket.
    pub fn nftables(&self) -> Result<&Socket> {
        self.nftables_if_present()?.ok_or_else(|| {
            Error::new(Code::FILTER, "the kernel has no nftables").because("enable or load nf_tables")
        })
    }

    /// The netlink socket; `None` where the kernel has no nftables, so that there is nothing to look for.
    ///
    /// # Errors
    /// Code 101 when the kernel refuses the socket.
    pub fn nftables_if_present(&self) -> Result<Option<&Socket>> {
        if self.socket.get().is_none() {
            let opened = match Socket::gathering(Rc::clone(&self.gathered))
                .and_then(|socket| socket.generation().map(|_| socket))
            {
                Ok(socket) => Some(socket),
                Err(refused) if refused.is_absent() => None,
                Err(refused) => return Err(refused.into()),
            };
            return Ok(self.socket.get_or_init(|| opened).as_ref());
        }
        Ok(self.socket.get().and_then(Option::as_ref))
    }
}
