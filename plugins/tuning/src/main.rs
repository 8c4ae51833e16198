//! The `tuning` executable.

#![no_main]

cni_skel::plugin_main!(plugin_tuning::TUNING);
