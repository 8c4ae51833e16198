//! The crate from outside, with plugins that do as they are told.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed expectation is a failed test"
)]

mod delegate;
mod dispatch_answers;
mod dispatch_config;
mod dispatch_env;
mod dispatch_netns;
mod fake;
mod ipam;
mod scripts;
mod state;
mod undo;
