//! VLANs of a bridge port: what is there, and a wanted set applied exactly.

mod list;

use std::fmt;

use cni_types::Result;

use crate::link::request::about_port;
use crate::rtnl::Rtnl;
use cni_netlink::Request;
pub use list::list;

/// `BRIDGE_VLAN_INFO_PVID`, `_UNTAGGED`, `_RANGE_BEGIN`, `_RANGE_END` (`linux/if_bridge.h`)
const PVID: u16 = 1 << 1;
const UNTAGGED: u16 = 1 << 2;
const RANGE_BEGIN: u16 = 1 << 3;
const RANGE_END: u16 = 1 << 4;
/// `IFLA_BRIDGE_VLAN_INFO` inside `IFLA_AF_SPEC`
const IFLA_BRIDGE_VLAN_INFO: u16 = 2;
/// One VLAN of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Vlan {
    /// 1–4094.
    pub id: u16,
    /// Untagged both ways: frames without a tag belong to it (PVID) and leave without one.
    pub native: bool,
}

impl Vlan {
    /// Only tagged frames.
    pub fn tagged(id: u16) -> Self {
        Self { id, native: false }
    }

    /// Frames without a tag, in and out.
    pub fn native(id: u16) -> Self {
        Self { id, native: true }
    }
}

impl fmt::Display for Vlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.id, if self.native { " native" } else { "" })
    }
}

fn request(doing: String, kind: u16, index: u32, ranges: &[(u16, u16, u16)]) -> Request {
    let mut body = about_port(index);
    body.nest(libc::IFLA_AF_SPEC, |spec| {
        for (flags, first, last) in ranges {
            let mut put = |flags: u16, id: u16| {
                let [a, b] = flags.to_ne_bytes();
                let [c, d] = id.to_ne_bytes();
                spec.bytes(IFLA_BRIDGE_VLAN_INFO, &[a, b, c, d]);
            };
            if first == last {
                put(*flags, *first);
            } else {
                put(flags | RANGE_BEGIN, *first);
                put(flags | RANGE_END, *last);
            }
        }
    });
    Request::new(doing, kind, 0, body)
}

/// Runs of consecutive tagged ids as one range each; a native VLAN stands alone.
fn ranges(vlans: &[Vlan]) -> Vec<(u16, u16, u16)> {
    let mut ranges: Vec<(u16, u16, u16)> = Vec::new();
    for vlan in vlans {
        let flags = if vlan.native { PVID | UNTAGGED } else { 0 };
        match ranges.last_mut() {
            Some((0, _, last)) if flags == 0 && *last + 1 == vlan.id => *last = vlan.id,
            _ => ranges.push((flags, vlan.id, vlan.id)),
        }
    }
    ranges
}

/// Adds `wanted` to the port and, with `exact`, removes every other VLAN from it.
///
/// # Errors
/// Code 100 when the kernel refuses.
pub fn apply(host: &Rtnl, index: u32, port: &str, wanted: &[Vlan], exact: bool) -> Result<()> {
    let mut requests = Vec::new();
    if exact {
        let extra: Vec<_> = list(host, index)?.into_iter().filter(|there| !wanted.contains(there)).collect();
        if !extra.is_empty() {
            let doing = format!("remove the default VLANs of {port}");
            requests.push(request(doing, libc::RTM_DELLINK, index, &ranges(&extra)));
        }
    }
    if !wanted.is_empty() {
        requests.push(request(format!("set the VLANs of {port}"), libc::RTM_SETLINK, index, &ranges(wanted)));
    }
    Ok(host.socket.change(&requests)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_tagged_ids_become_one_range() {
        let vlans = [Vlan::native(1), Vlan::tagged(2), Vlan::tagged(3), Vlan::tagged(4), Vlan::tagged(9)];
        assert_eq!(ranges(&vlans), [(PVID | UNTAGGED, 1, 1), (0, 2, 4), (0, 9, 9)]);
    }
}
