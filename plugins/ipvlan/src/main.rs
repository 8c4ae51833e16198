//! The `ipvlan` executable.

#![no_main]

cni_skel::plugin_main!(plugin_ipvlan::IPVLAN, with [ipam_host_local::HostLocal, ipam_static::Static]);
