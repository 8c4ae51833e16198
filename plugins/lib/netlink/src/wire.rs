//! A message on the wire: `struct nlmsghdr` and its flags (`linux/netlink.h`).

/// `NLM_F_ACK`: answer even when there is nothing to say.
pub(crate) const ACK: u16 = 0x004;
/// `NLM_F_DUMP`: all objects, not one.
pub(crate) const DUMP: u16 = 0x300;
/// `NLM_F_REPLACE`: change what is there.
pub const REPLACE: u16 = 0x100;
/// `NLM_F_EXCL`: fail when it is there.
pub const EXCL: u16 = 0x200;
/// `NLM_F_CREATE`: make it when it is not there.
pub const CREATE: u16 = 0x400;
/// `NLM_F_APPEND`: at the end of the list.
pub const APPEND: u16 = 0x800;

/// `NLM_F_REQUEST`: on every message to the kernel.
const REQUEST: u16 = 0x001;
/// Bytes of `struct nlmsghdr`.
pub(crate) const HEADER: usize = 16;

/// Appends a message to `out`: `struct nlmsghdr`, then `body`, whose length must be a multiple of 4.
pub(crate) fn put_message(out: &mut Vec<u8>, kind: u16, flags: u16, sequence: u32, body: &[u8]) {
    let length = u32::try_from(HEADER + body.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_ne_bytes());
    out.extend_from_slice(&kind.to_ne_bytes());
    out.extend_from_slice(&(flags | REQUEST).to_ne_bytes());
    out.extend_from_slice(&sequence.to_ne_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(body);
}
