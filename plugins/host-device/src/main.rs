//! The `host-device` executable.

#![no_main]

cni_skel::plugin_main!(plugin_host_device::HOST_DEVICE, with [ipam_host_local::HostLocal, ipam_static::Static]);
