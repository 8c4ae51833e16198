//! The `dummy` executable.

#![no_main]

cni_types::plugin_main!(plugin_dummy::DUMMY);
