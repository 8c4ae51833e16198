//! The `ptp` executable.

#![no_main]

cni_skel::plugin_main!(plugin_ptp::PTP, with [ipam_host_local::HostLocal, ipam_static::Static]);
