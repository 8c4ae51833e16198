//! The `loopback` executable.

#![no_main]

cni_skel::plugin_main!(plugin_loopback::LOOPBACK);
