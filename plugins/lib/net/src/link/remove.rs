//! Deleting links. `ip link delete`.

use cni_netlink::attr::Attrs;
use cni_netlink::{Refused, Request};
use cni_types::{IfName, Result};

use super::request::{about, about_named};
use crate::rtnl::Rtnl;

impl Rtnl {
    /// Deletes the link with index `index`; one that is gone already is success.
    ///
    /// # Errors
    /// Code 100 when the kernel refuses.
    pub fn remove_link_if_present(&self, index: u32) -> Result<()> {
        self.delete(format!("delete the link with index {index}"), about(index))
    }

    /// Deletes the link named `name`; one that is gone already is success.
    ///
    /// # Errors
    /// Code 100 when the kernel refuses.
    pub fn remove_link_named_if_present(&self, name: &IfName) -> Result<()> {
        self.delete(format!("delete link {name}"), about_named(name.as_str()))
    }

    fn delete(&self, doing: String, body: Attrs) -> Result<()> {
        let delete = Request::new(doing, libc::RTM_DELLINK, 0, body);
        Ok(self.socket.change(&[delete]).or_else(Refused::unless_gone)?)
    }
}
