//! Namespaces, links, addresses, routes and sysctls for CNI plugins.
//!
//! A plugin opens one [`Rtnl`] socket in the host's namespace and one in the container's, and never switches
//! namespaces to talk netlink. Every refusal of the kernel becomes an error that names the object, the errno and the
//! kernel's own text.

mod addr;
pub mod attach;
pub mod bridge;
pub mod check;
pub mod configure;
mod events;
pub mod forwarding;
mod link;
pub mod mac;
mod master;
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
pub use events::Events;
pub use link::{
    Attribute, Choice, IFF_PROMISC, IFF_UP, Ipvlan, Kind, Link, LinkName, Macvlan, NewLink, Shape, Side, Tap,
    Vlan, ifb, veth, vrf,
};
pub use master::{Master, MasterName};
pub use netns::Netns;
pub use probe::try_out;
pub use remembered::RememberedNetns;
pub use route::{Change, NextHop, Route, RouteEntry, SCOPE_GLOBAL, SCOPE_HOST, SCOPE_LINK, tables};
pub use rtnl::{Refused, Rtnl};
pub use rule::Rule;
pub use tc::TokenBucket;

use cni_types::{Error, Result};

/// The smallest MTU an Ethernet link takes (`ETH_MIN_MTU`, `linux/if_ether.h`), in bytes.
const MTU_MIN: i64 = 68;
/// The largest (`ETH_MAX_MTU`), in bytes.
const MTU_MAX: i64 = 65_535;

/// The configuration key `mtu`, in bytes; 0 leaves the kernel's default.
///
/// # Errors
/// Code 7 with the allowed range.
pub fn mtu(value: i64) -> Result<u32> {
    let allowed = value == 0 || (MTU_MIN..=MTU_MAX).contains(&value);
    let mtu = u32::try_from(value).ok().filter(|_| allowed);
    mtu.ok_or_else(|| {
        Error::config(format!(
            "invalid mtu {value}: it must be {MTU_MIN}–{MTU_MAX}, or 0 for the kernel's default"
        ))
    })
}
