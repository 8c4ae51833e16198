//! The `firewall` executable.

#![no_main]

cni_types::plugin_main!(plugin_firewall::Firewall);
