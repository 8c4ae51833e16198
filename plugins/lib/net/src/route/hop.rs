//! The ways a route goes.

use std::net::IpAddr;

use cni_netlink::attr::{find, host16, host32};
use cni_types::ip_from_octets;

/// `RTNH_F_ONLINK` (`linux/rtnetlink.h`): the one flag that is asked for; the others are the kernel's observations, and
/// it refuses them in a request.
pub(super) const ONLINK: u8 = 4;
/// `RTA_VIA`: a gateway of another family than the destination's.
const RTA_VIA: u16 = 18;
/// Size of `struct rtnexthop`.
const NEXT_HOP: usize = 8;

/// One way a route goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextHop {
    /// The link's index.
    pub index: u32,
    /// The gateway; without one the destination is on the link.
    pub gateway: Option<IpAddr>,
}

impl NextHop {
    /// Reads the attributes of a way through this link.
    pub(super) fn decode(index: u32, attributes: &[u8]) -> Self {
        let via = || find(attributes, RTA_VIA).and_then(|via| ip_from_octets(via.get(2..)?));
        Self { index, gateway: find(attributes, libc::RTA_GATEWAY).and_then(ip_from_octets).or_else(via) }
    }
}

/// Those of a multipath route (`RTA_MULTIPATH`), each with its `struct rtnexthop` and its attributes.
pub(super) fn each(mut bytes: &[u8]) -> impl Iterator<Item = (NextHop, &[u8], &[u8])> {
    std::iter::from_fn(move || {
        let header = bytes.get(..NEXT_HOP)?;
        let length = usize::from(host16(header)?);
        let attributes = bytes.get(NEXT_HOP..length)?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or(&[]);
        Some((NextHop::decode(host32(&header[4..])?, attributes), header, attributes))
    })
}

/// The same for a request.
pub(super) fn as_asked_for(hops: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(hops.len());
    for (_, header, attributes) in each(hops) {
        let [length_low, length_high, flags, ..] = *header else { continue };
        out.extend_from_slice(&[length_low, length_high, flags & ONLINK]);
        out.extend_from_slice(&header[3..]);
        out.extend_from_slice(attributes);
        out.resize(out.len().next_multiple_of(4), 0);
    }
    out
}
