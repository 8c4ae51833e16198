//! The crate from outside: what it reads, writes and refuses.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed expectation is a failed test"
)]

mod addresses;
mod args;
mod conversion;
mod decode;
mod decode_prop;
mod documents;
mod errors;
mod golden;
mod names;
mod network;
mod route_form;
mod stale;
