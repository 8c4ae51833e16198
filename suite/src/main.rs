//! The `cni-plugins` executable.

#![no_main]

cni_skel::notes!();

// Reason for `unsafe`: as in `plugin_main`.
#[unsafe(no_mangle)]
extern "C" fn main(argc: std::ffi::c_int, argv: *const *const std::ffi::c_char) -> std::ffi::c_int {
    // SAFETY: these are the C main's own.
    cni_plugins::main(&unsafe { cni_skel::arguments(argc, argv) })
}
