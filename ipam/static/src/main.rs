//! The `static` executable.

#![no_main]

cni_types::plugin_main!(ipam_static::Static);
