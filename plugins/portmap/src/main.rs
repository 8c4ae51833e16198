//! The `portmap` executable.

#![no_main]

cni_types::plugin_main!(plugin_portmap::Portmap);
