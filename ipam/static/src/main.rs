//! The `static` executable.

#![no_main]

cni_skel::plugin_main!(ipam_static::Static);
