//! The `dhcp` executable.

#![no_main]

cni_types::plugin_main!(ipam_dhcp::Dhcp);
