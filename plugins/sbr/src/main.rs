//! The `sbr` executable.

#![no_main]

cni_types::plugin_main!(plugin_sbr::Sbr);
