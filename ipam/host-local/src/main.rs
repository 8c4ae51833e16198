//! The `host-local` executable.

#![no_main]

cni_types::plugin_main!(ipam_host_local::HostLocal);
