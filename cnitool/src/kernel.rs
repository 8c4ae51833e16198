//! The kernel as the field's own libraries read it: `rtnetlink` with its sockets, and `netlink-packet-route`. The
//! plugins have sockets of their own; what a tool shows must not be read by the code that wrote it. Nothing in here
//! changes anything.

mod conversation;
mod events;
mod iptables;
mod link;
mod namespace;
pub(crate) mod options;
mod places;
mod routes;
mod vlans;

pub(crate) use events::after_each_change;
pub(crate) use iptables::rules;
pub(crate) use link::Link;
pub(crate) use namespace::Namespace;
pub(crate) use places::{Place, places, read_all};
pub(crate) use routes::default_links;
pub(crate) use vlans::port_vlans;
