//! The `vrf` executable.

#![no_main]

cni_skel::plugin_main!(plugin_vrf::VRF);
