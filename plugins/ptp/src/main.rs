//! The `ptp` executable.

#![no_main]

cni_skel::plugin_main!(plugin_ptp::PTP);
