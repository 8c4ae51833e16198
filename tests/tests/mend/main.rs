//! What mends a node: `cnitool gc` and `cnitool restore`.

mod gc;
mod kit;
mod restore;
