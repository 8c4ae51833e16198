//! The reference's protocol between plugin and daemon: Go's net/rpc over HTTP on a unix socket, two methods.
//!
//! The client sends `CONNECT /_goRPC_ HTTP/1.0` and an empty line, the server answers with status 200, and from then on
//! each direction is a gob stream: a request header and the plugin's arguments one way, a response header and the
//! result the other way. A suite is upgraded in place, so an old client talks to this daemon and this client to an old
//! daemon.
//!
//! Nothing in here does input or output: [`Server`] and [`Client`] are one end of one connection each, fed with what
//! has arrived.

mod args;
mod client;
mod error;
mod head;
mod reply;
mod server;
#[cfg(test)]
mod tests;

pub use args::{CmdArgs, Method};
pub use client::{Client, Reply};
pub use error::Error;
pub use server::{Call, Server, Step};
