//! The `bandwidth` executable.

#![no_main]

cni_types::plugin_main!(plugin_bandwidth::Bandwidth);
