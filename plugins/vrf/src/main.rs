//! The `vrf` executable.

#![no_main]

cni_types::plugin_main!(plugin_vrf::Vrf);
