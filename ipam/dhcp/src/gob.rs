//! The part of Go's gob encoding that net/rpc between the reference's dhcp client and daemon needs
//! (<https://pkg.go.dev/encoding/gob>).
//!
//! A stream of messages, each a length and a body: a type definition or a value of a defined type. The sender chooses
//! the type ids, so a value is read by the definitions that came with it and its fields are matched by name. Only
//! values that are structs are read, with fields of strings, bytes, numbers, structs and slices of these; pointers
//! leave no trace in the encoding.
//!
//! The other end may be anybody who can open the socket: the size of a message, the number of types and of their
//! fields and the nesting are bounded ([`MESSAGE_MAX`] and the constants beside their checks), what is decoded borrows
//! from the message, and each step of reading consumes input.

mod cursor;
mod decoder;
mod definition;
mod encoder;
mod error;
mod types;
mod value;

pub use decoder::Decoder;
pub use encoder::{Definition, Encoder, StructWriter};
pub use error::Error;
pub use types::TypeId;
pub use value::Value;

/// Longest message in bytes. The longest that is sent for a purpose holds a network configuration, a few kB.
pub const MESSAGE_MAX: usize = 1 << 20;

#[cfg(test)]
mod tests;
