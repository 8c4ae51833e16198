//! The `host-device` executable.

#![no_main]

cni_skel::plugin_main!(plugin_host_device::HOST_DEVICE);
