//! The `vlan` executable.

#![no_main]

cni_skel::plugin_main!(plugin_vlan::VLAN);
