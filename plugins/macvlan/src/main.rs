//! The `macvlan` executable.

#![no_main]

cni_types::plugin_main!(plugin_macvlan::MACVLAN);
