//! The `tap` executable.

#![no_main]

cni_skel::plugin_main!(plugin_tap::TAP, with [ipam_host_local::HostLocal, ipam_static::Static]);
