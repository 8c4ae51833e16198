//! The `bridge` executable.

#![no_main]

cni_skel::plugin_main!(plugin_bridge::BRIDGE, with [ipam_host_local::HostLocal, ipam_static::Static]);
