//! VRFs (virtual routing and forwarding): links whose members are routed by a table of their own.

mod member;

use cni_netlink::attr::{find, host32};
use cni_netlink::{Precision, Request};
use cni_types::{AttachmentId, IfName, Result};

use super::Link;
use super::request::{self, about_named, put_kind};
use crate::rtnl::Rtnl;
pub use member::MemberSettings;

/// `IFLA_INFO_KIND` of a VRF.
pub const KIND: &str = "vrf";

/// `IFLA_VRF_TABLE` inside `IFLA_INFO_DATA`
pub(crate) const IFLA_VRF_TABLE: u16 = 1;

impl Link {
    /// A VRF's routing table.
    pub fn vrf_table(&self) -> Option<u32> {
        let table = find(&self.kind_data, IFLA_VRF_TABLE).filter(|_| self.kind == KIND);
        table.and_then(host32)
    }
}

/// A VRF.
fn new(name: &str, table: u32) -> Request {
    let mut body = about_named(name);
    put_kind(&mut body, KIND, |data| data.host32(IFLA_VRF_TABLE, table));
    request::create(format!("create VRF {name} with table {table}"), body)
}

/// Makes a VRF with this table, up, and tagged with the attachment it was made for.
///
/// # Errors
/// Code 100 with what the kernel refused.
pub fn create(rtnl: &Rtnl, name: &IfName, table: u32, id: &AttachmentId) -> Result<Link> {
    Ok(rtnl.create_owned(new(name.as_str(), table), name.as_str(), id)??)
}

/// Makes a VRF in a throw-away namespace: what STATUS asks.
///
/// # Errors
/// Code 100 with what the kernel refused.
pub fn probe(rtnl: &Rtnl) -> Result<()> {
    Ok(rtnl.socket.change(&[new("probe", 1)])?)
}

impl Rtnl {
    /// The VRFs.
    ///
    /// # Errors
    /// Code 100 when the kernel refuses to say.
    pub fn vrfs(&self) -> Result<Vec<Link>> {
        self.links_of(Some(KIND), Precision::Exact)
    }

    /// Deletes the VRF when it has no member any more.
    ///
    /// # Errors
    /// Code 100 when the kernel refuses.
    pub fn remove_vrf_if_empty(&self, vrf: &Link) -> Result<()> {
        let has_member = self.links()?.iter().any(|link| link.master == Some(vrf.index));
        if has_member { Ok(()) } else { self.remove_link_if_present(vrf.index) }
    }
}
