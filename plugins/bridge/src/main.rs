//! The `bridge` executable.

#![no_main]

cni_types::plugin_main!(plugin_bridge::Bridge);
