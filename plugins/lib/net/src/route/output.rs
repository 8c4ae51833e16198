//! Where a packet would leave. `ip route get`.

use std::net::IpAddr;

use cni_types::{Cidr, Family, Result, ip_octets};

use super::abi::HEADER;

use crate::rtnl::Rtnl;
use cni_netlink::Request;
use cni_netlink::attr::{Attrs, find, host32};

/// The question where a packet to `ip` would leave, or whether by the link with this index.
pub(crate) fn look_up(ip: IpAddr, index: Option<u32>) -> Request {
    let mut header = [0; HEADER];
    header[0] = Family::of(ip).number();
    header[1] = Cidr::host(ip).prefix();
    let mut body = Attrs::behind(&header);
    body.bytes(libc::RTA_DST, &ip_octets(ip));
    if let Some(index) = index {
        body.host32(libc::RTA_OIF, index);
    }
    Request::new(format!("look up the route to {ip}"), libc::RTM_GETROUTE, 0, body)
}

impl Rtnl {
    /// The index of the link a packet to `ip` would leave by; `None` when there is no route.
    ///
    /// # Errors
    /// Code 100 when the kernel refuses to say.
    pub fn output_link(&self, ip: IpAddr) -> Result<Option<u32>> {
        let answers = match self.socket.look_up(&look_up(ip, None)) {
            Err(refused) if refused.is_not_found() => return Ok(None),
            answer => answer?,
        };
        let index = |body: &Vec<u8>| find(body.get(HEADER..)?, libc::RTA_OIF).and_then(host32);
        Ok(answers.iter().find_map(index))
    }
}
