//! The `dhcp` executable: the plugin, or with the argument `daemon` the daemon.

#![no_main]

cni_skel::plugin_main!(ipam_dhcp::Dhcp, "daemon" => ipam_dhcp::daemon_main);
