//! Whether an expression in the kernel's list is the one that was written.

use super::{DATA, NAME};
use cni_netlink::attr::{agrees, each, find, net32};

/// `NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED`: what the kernel sets for an address and a port.
const GIVEN: u32 = 1 | 2;

/// Compares two lists of expressions in their order, by meaning: what was written must be listed with the same values.
/// What the kernel lists besides is what it stands for when it is not written: zero, what a counter has counted, and in
/// a translation the ends of ranges of one.
pub(in super::super) fn are_alike(written: &[u8], listed: &[u8]) -> bool {
    let mut listed = each(listed);
    each(written).all(|(_, expr)| listed.next().is_some_and(|(_, other)| is_alike(expr, other)))
        && listed.next().is_none()
}

fn is_alike(written: &[u8], listed: &[u8]) -> bool {
    let name = find(written, NAME);
    let [written, listed] = [written, listed].map(|expr| (find(expr, NAME), find(expr, DATA).unwrap_or(&[])));
    let implied = |kind: u16, value: &[u8]| {
        let is_zero = value.iter().all(|&byte| byte == 0);
        match (name, kind) {
            (Some(b"counter\0"), _) => true,
            // NFTA_NAT_REG_ADDR_MAX, NFTA_NAT_REG_PROTO_MAX, NFTA_NAT_FLAGS
            (Some(b"nat\0"), 4 | 6) => find(written.1, kind - 1) == Some(value),
            (Some(b"nat\0"), 7) => net32(value).is_some_and(|flags| flags & !GIVEN == 0),
            _ => is_zero,
        }
    };
    written.0 == listed.0 && agrees(written.1, listed.1, &implied)
}
