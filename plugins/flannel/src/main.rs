//! The `flannel` executable.

#![no_main]

cni_skel::plugin_main!(plugin_flannel::FLANNEL, with [plugin_bridge::BRIDGE, ipam_host_local::HostLocal]);
