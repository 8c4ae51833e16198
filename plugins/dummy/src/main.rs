//! The `dummy` executable.

#![no_main]

cni_skel::plugin_main!(plugin_dummy::DUMMY, with [ipam_host_local::HostLocal, ipam_static::Static]);
