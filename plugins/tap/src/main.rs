//! The `tap` executable.

#![no_main]

cni_skel::plugin_main!(plugin_tap::TAP);
