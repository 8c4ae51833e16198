//! The `flannel` executable.

#![no_main]

cni_skel::plugin_main!(plugin_flannel::FLANNEL);
