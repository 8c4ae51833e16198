//! The keys that the plugins declare: what the READMEs say of them, and whether the decoders mean them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

mod declared;
mod readme;
mod table;
