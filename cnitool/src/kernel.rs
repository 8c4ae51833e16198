//! The kernel as the field's own libraries read it: `rtnetlink` and `netlink-packet-route`, on tokio. The plugins have
//! sockets of their own; what a tool shows must not be read by the code that wrote it. Nothing in here changes anything.

mod conversation;
mod link;
mod namespace;
mod places;

pub(crate) use link::Link;
pub(crate) use namespace::Namespace;
pub(crate) use places::{Place, places, read_all};
