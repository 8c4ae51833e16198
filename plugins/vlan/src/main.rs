//! The `vlan` executable.

#![no_main]

cni_skel::plugin_main!(plugin_vlan::VLAN, with [ipam_host_local::HostLocal, ipam_static::Static]);
