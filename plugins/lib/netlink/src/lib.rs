//! Netlink on the wire (RFC 3549, `linux/netlink.h`): a socket, messages and attributes. What the messages mean is
//! cni-net's (rtnetlink) and cni-filter's (netfilter) business.
//!
//! The kernel works on a request while it is being sent, so an answer is either there at once or never comes: nothing
//! in here waits but for the events of multicast groups.
//!
//! The verbs of [`Socket`]: `ask` and `look_up` (objects), `list`, `change`, `commit` and `try_out` (all or none),
//! `listen` and `ask_until`. What was not done is [`Refused`].

mod answer;
mod asked;
pub mod attr;
mod batch;
mod conversation;
mod list;
mod listen;
mod protocol;
mod refused;
mod request;
mod room;
mod socket;
mod wire;

pub use conversation::Objects;
pub use list::Precision;
pub use nix::errno::Errno;
pub use protocol::Protocol;
pub use refused::Refused;
pub use request::Request;
pub use socket::Socket;
pub use wire::{APPEND, CREATE, EXCL, REPLACE};
