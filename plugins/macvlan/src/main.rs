//! The `macvlan` executable.

#![no_main]

cni_skel::plugin_main!(plugin_macvlan::MACVLAN, with [ipam_host_local::HostLocal, ipam_static::Static]);
