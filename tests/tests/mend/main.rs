//! What mends a node: `cnitool gc` and `cnitool restore`.

mod faults;
mod gc;
mod kit;
mod restore;
