//! Namespaces, links, addresses, routes and sysctls for CNI plugins.
//!
//! A plugin opens one [`Rtnl`] socket in the host's namespace and one in the container's, and never switches
//! namespaces to talk netlink. Every refusal of the kernel becomes an error that names the object, the errno and the
//! kernel's own text.

mod addr;
pub mod bridge;
pub mod check;
pub mod configure;
mod events;
pub mod forwarding;
mod link;
pub mod mac;
mod master;
mod mtu;
mod neigh;
mod netns;
mod probe;
mod remembered;
mod route;
mod rtnl;
mod rule;
pub mod sysctl;
mod tc;

pub use addr::Address;
pub use cni_netlink::Refused;
pub use events::Events;
pub use link::{
    Attribute, IFF_PROMISC, IFF_UP, Ipvlan, IpvlanFlag, IpvlanMode, Kind, Link, LinkName, Macvlan,
    MacvlanMode, NewLink, Settings, Shape, Side, Tap, Vlan, ifb, veth, vrf,
};
pub use master::{Master, MasterName, refuse_down, refuse_larger};
pub use mtu::Mtu;
pub use netns::Netns;
pub use probe::try_out;
pub use remembered::RememberedNetns;
pub use route::{Change, NextHop, Route, RouteEntry, SCOPE_GLOBAL, SCOPE_HOST, SCOPE_LINK, tables};
pub use rtnl::Rtnl;
pub use rule::Rule;
pub use tc::TokenBucket;
