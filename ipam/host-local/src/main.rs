//! The `host-local` executable.

#![no_main]

cni_skel::plugin_main!(ipam_host_local::HostLocal);
