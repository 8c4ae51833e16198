//! The `firewall` executable.

#![no_main]

cni_skel::plugin_main!(plugin_firewall::FIREWALL);
