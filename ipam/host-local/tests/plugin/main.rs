//! The real executable on real directories: results, files, failures, and the reference beside it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

mod add;
mod bad_input;
mod concurrency;
mod crash;
mod disk;
mod gc;
mod index;
mod memory;
mod reference;
mod release;
mod run;
mod status;
