//! What mends a node: `cnitool gc` and `cnitool restore`.

mod kit;
mod restore;
