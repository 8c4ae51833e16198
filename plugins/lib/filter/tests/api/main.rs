//! The crate from outside, judged by `nft`, `iptables-save` and packets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed expectation is a failed test"
)]

mod absent;
mod conditions;
mod encoding;
mod host;
mod layouts;
mod masquerade_iptables;
mod masquerade_nft;
mod masquerade_owners;
mod masquerade_reference;
mod masquerade_share;
mod packets;
mod spoof;
