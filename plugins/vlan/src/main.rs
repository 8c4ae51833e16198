//! The `vlan` executable.

#![no_main]

cni_types::plugin_main!(plugin_vlan::VLAN);
