//! The `loopback` executable.

#![no_main]

cni_types::plugin_main!(plugin_loopback::Loopback);
