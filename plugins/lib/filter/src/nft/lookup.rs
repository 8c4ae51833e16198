//! Values in an object's attributes; netfilter has its numbers in network order.

use cni_netlink::attr::{self, find};

/// The first attribute of this type as a 32-bit number.
pub(super) fn number(attrs: &[u8], kind: u16) -> Option<u32> {
    find(attrs, kind).and_then(attr::net32)
}

/// The first attribute of this type as a text, without its NUL.
pub(super) fn text(attrs: &[u8], kind: u16) -> Option<&str> {
    find(attrs, kind).and_then(attr::text)
}
