//! The packet filter of the suite: masquerade, the firewall's rules for forwarded packets, MAC spoof check.
//!
//! nftables is spoken natively over netlink ([`nft`]): no tool, one atomic batch per change. iptables goes through one
//! `iptables-restore` per address family ([`iptables`]), firewalld over D-Bus. What is made carries its owner (network,
//! container id, ifname), so that removing needs neither the previous result nor the container's namespace, and what
//! the reference plugins made is removed too.
//!
//! [`conntrack`] deletes the flows that a change of mappings affects.
//!
//! Host state: see [`masquerade`], [`forward`] and [`spoof`]. Everything happens in the calling thread's network namespace.

pub mod conntrack;
mod filter;
mod firewalld;
pub mod forward;
mod given;
pub mod iptables;
pub mod masquerade;
pub mod nft;
pub mod spoof;

pub use filter::Filter;
