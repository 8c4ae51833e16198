//! A program that does nothing, linked as plugins are: what any start costs.

#![no_main]

/// The C `main`, as plugins have it.
// Reason for `unsafe`: the linker looks for this very name.
#[unsafe(no_mangle)]
extern "C" fn main() -> std::ffi::c_int {
    0
}
