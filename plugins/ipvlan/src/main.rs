//! The `ipvlan` executable.

#![no_main]

cni_types::plugin_main!(plugin_ipvlan::IPVLAN);
