//! CHECK: the container's interface against the result of ADD.

use cni_net::{Link, check};
use cni_types::{CniResult, Result};

use crate::site::Site;

/// What ADD said about the container's interface.
pub struct Expected<'a> {
    /// Where it is.
    pub site: &'a Site<'a>,
    /// The result of ADD.
    pub result: &'a CniResult,
}

impl Expected<'_> {
    /// The interface as it is: of this kind, with the address and, where the configuration has `asked` for one, the MTU
    /// it was given.
    ///
    /// # Errors
    /// Code 103 naming what differs; code 8 when the namespace cannot be opened.
    pub fn container(&self, kind: &str, asked: u32) -> Result<Link> {
        let (_, entry) = check::container_entry(self.site.attachment, self.result)?;
        let link = check::link(self.site.inside()?, entry, kind)?;
        check::mtu(&link, entry, asked)?;
        Ok(link)
    }
}
