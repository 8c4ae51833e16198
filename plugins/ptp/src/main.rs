//! The `ptp` executable.

#![no_main]

cni_types::plugin_main!(plugin_ptp::Ptp);
