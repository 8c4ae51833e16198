//! The `sbr` executable.

#![no_main]

cni_skel::plugin_main!(plugin_sbr::SBR);
