//! The packet filter of the suite: masquerade, MAC spoof check, and what plugins make rules of their own with.
//!
//! nftables is spoken natively over netlink ([`nft`]): no tool, one atomic batch per change. iptables goes through one
//! `iptables-restore` per address family ([`iptables`]). What is made carries its owner (network,
//! container id, ifname), so that removing needs neither the previous result nor the container's namespace, and what
//! the reference plugins made is removed too.
//!
//! [`conntrack`] deletes the flows that a change of mappings affects.
//!
//! Host state: see [`masquerade`] and [`spoof`]. Everything happens in the calling thread's network namespace.

pub mod conntrack;
mod filter;
mod gather;
mod gathered;
mod given;
pub mod iptables;
mod known;
pub mod masquerade;
pub mod nft;
pub mod spoof;

pub use filter::Filter;
pub use given::Given;
