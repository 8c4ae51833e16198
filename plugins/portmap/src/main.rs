//! The `portmap` executable.

#![no_main]

cni_skel::plugin_main!(plugin_portmap::PORTMAP);
