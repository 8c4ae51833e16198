//! The C `main` of a plugin executable.

use std::ffi::c_int;
use std::process::ExitCode;

use nix::sys::signal::{SigHandler, Signal, signal};

use super::{Plugin, run};

/// Makes the plugin the whole executable: `#![no_main]`, then `cni_types::plugin_main!(MyPlugin);`.
///
/// This is the C `main` itself, without the start-up of the standard library: that would look for the main thread's
/// guard page in `/proc/self/maps` and install handlers for a stack overflow, an eighth of the time a plugin takes to
/// start, and link 140 kB for it.
#[macro_export]
macro_rules! plugin_main {
    ($plugin:expr) => {
        // Reason for `unsafe`: the linker looks for this very name, and nothing else in a plugin has it.
        #[unsafe(no_mangle)]
        extern "C" fn main(_argc: std::ffi::c_int, _argv: *const *const std::ffi::c_char) -> std::ffi::c_int {
            $crate::start(&$plugin)
        }
    };
}

/// What [`plugin_main`](crate::plugin_main) calls: the one thing of the standard library's start-up that matters here,
/// then [`run`].
#[doc(hidden)]
pub fn start(plugin: &dyn Plugin) -> c_int {
    // SAFETY: no other thread runs yet, and ignoring a signal runs no code of ours. A runtime that closes its end must
    // not kill us in the middle of a write: the attachment has to be taken back.
    let _ = unsafe { signal(Signal::SIGPIPE, SigHandler::SigIgn) };
    c_int::from(run(plugin) != ExitCode::SUCCESS)
}
