//! The `macvlan` executable.

#![no_main]

cni_skel::plugin_main!(plugin_macvlan::MACVLAN);
