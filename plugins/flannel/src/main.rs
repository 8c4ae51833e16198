//! The `flannel` executable.

#![no_main]

cni_types::plugin_main!(plugin_flannel::Flannel);
