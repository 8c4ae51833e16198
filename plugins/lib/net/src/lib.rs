//! Namespaces, links, addresses, routes and sysctls for CNI plugins: the only user of rtnetlink and tokio.
//!
//! A plugin opens one [`Rtnl`] socket in the host's namespace and one in the container's, and never switches
//! namespaces to talk netlink. Every refusal of the kernel becomes an error that names the object, the errno and the
//! kernel's own text.

mod addr;
pub mod bridge;
pub mod check;
pub mod configure;
mod events;
mod link;
pub mod mac;
mod neigh;
mod netns;
mod probe;
mod route;
mod rtnl;
pub mod sysctl;

pub use addr::Address;
pub use events::Events;
pub use link::{IFF_PROMISC, IFF_UP, Link, veth};
pub use netns::Netns;
pub use probe::in_fresh_netns;
pub use route::{Route, SCOPE_GLOBAL, SCOPE_HOST, SCOPE_LINK};
pub use rtnl::{Refused, Rtnl};
