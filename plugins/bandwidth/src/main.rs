//! The `bandwidth` executable.

#![no_main]

cni_skel::plugin_main!(plugin_bandwidth::BANDWIDTH);
