//! cnitool from outside: its library and its executable.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed expectation is a failed test"
)]

mod chain;
mod cli;
mod conf_examples;
mod demo;
mod dir;
mod gc;
mod kit;
mod real;
mod trace;
mod validate;
