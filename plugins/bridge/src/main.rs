//! The `bridge` executable.

#![no_main]

cni_skel::plugin_main!(plugin_bridge::BRIDGE);
