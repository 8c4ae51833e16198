//! Netlink on the wire (RFC 3549, `linux/netlink.h`): a socket, messages and attributes. What the messages mean is
//! cni-net's (rtnetlink) and cni-filter's (netfilter) business.
//!
//! The kernel works on a request while it is being sent, so an answer is either there at once or never comes: nothing
//! in here waits but for the events of multicast groups.
//!
//! The verbs of [`Socket`]: `ask` and `look_up` (objects), `list`, `change`, `commit` and `try_out` (all or none), `listen`
//! and `ask_until`. What was not done is [`Refused`].

mod answer;
mod asked;
pub mod attr;
mod batch;
mod conversation;
mod list;
mod listen;
mod refused;
mod request;
mod room;
mod socket;

use answer::Answer;
pub use conversation::Objects;
pub use list::Precision;
pub use nix::errno::Errno;
pub use refused::Refused;
pub use request::Request;
pub use socket::{Protocol, Socket};

/// `NLM_F_ACK`: answer even when there is nothing to say.
const ACK: u16 = 0x004;
/// `NLM_F_DUMP`: all objects, not one.
const DUMP: u16 = 0x300;
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
const HEADER: usize = 16;

/// Appends a message to `out`: `struct nlmsghdr`, then `body`, whose length must be a multiple of 4.
fn put_message(out: &mut Vec<u8>, kind: u16, flags: u16, sequence: u32, body: &[u8]) {
    let length = u32::try_from(HEADER + body.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_ne_bytes());
    out.extend_from_slice(&kind.to_ne_bytes());
    out.extend_from_slice(&(flags | REQUEST).to_ne_bytes());
    out.extend_from_slice(&sequence.to_ne_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(body);
}
