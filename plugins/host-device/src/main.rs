//! The `host-device` executable.

#![no_main]

cni_types::plugin_main!(plugin_host_device::HostDevice);
