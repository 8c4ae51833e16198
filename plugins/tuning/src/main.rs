//! The `tuning` executable.

#![no_main]

cni_types::plugin_main!(plugin_tuning::Tuning);
