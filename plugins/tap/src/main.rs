//! The `tap` executable.

#![no_main]

cni_types::plugin_main!(plugin_tap::TAP);
