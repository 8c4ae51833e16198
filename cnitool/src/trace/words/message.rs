//! A netlink message as it was said.

use cni_netlink::attr;

/// Bytes of `struct nlmsghdr`.
const HEADER: usize = 16;

/// A message: its type, its flags, and what is behind the netlink header.
pub(super) struct Message<'a> {
    pub(super) kind: u16,
    pub(super) flags: u16,
    pub(super) body: &'a [u8],
}

impl<'a> Message<'a> {
    pub(super) fn read(wire: &'a [u8]) -> Option<Self> {
        let body = wire.get(HEADER..)?;
        Some(Self { kind: attr::host16(&wire[4..])?, flags: attr::host16(&wire[6..])?, body })
    }
}

/// Of hexadecimal digits; empty for anything else.
pub(super) fn bytes(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
    pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect::<Option<_>>().unwrap_or_default()
}
