//! The `dummy` executable.

#![no_main]

cni_skel::plugin_main!(plugin_dummy::DUMMY);
