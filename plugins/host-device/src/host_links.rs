//! The host's side: its links, listed at most once.

use std::cell::OnceCell;

use cni_net::{Link, Rtnl};
use cni_types::Result;

/// The host's namespace with a list of its links, made when somebody asks for it.
pub(crate) struct HostLinks {
    pub(crate) rtnl: Rtnl,
    links: OnceCell<Vec<Link>>,
}

impl HostLinks {
    pub(crate) fn new(rtnl: Rtnl) -> Self {
        Self { rtnl, links: OnceCell::new() }
    }

    /// # Errors
    /// Code 100 when the kernel gives no socket.
    pub(crate) fn open() -> Result<Self> {
        Rtnl::open().map(Self::new)
    }

    /// All links, as they were when this was asked first.
    ///
    /// # Errors
    /// Code 100 when the kernel refuses to say.
    pub(crate) fn links(&self) -> Result<&[Link]> {
        if let Some(links) = self.links.get() {
            return Ok(links);
        }
        let links = self.rtnl.links()?;
        Ok(self.links.get_or_init(|| links))
    }

    /// The same with a list yet to be made.
    pub(crate) fn anew(&self) -> Self {
        Self::new(self.rtnl.clone())
    }
}
