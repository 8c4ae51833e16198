//! The C `main` of a plugin executable.

use std::ffi::{CStr, c_char, c_int};
use std::fs::File;
use std::hint::black_box;
use std::os::fd::IntoRawFd;
use std::process::ExitCode;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};

use crate::plugin::Plugin;
use crate::run::run;
use crate::stdio::standard;

/// Makes the plugin the whole executable: `#![no_main]`, then `cni_skel::plugin_main!(MyPlugin);`.
///
/// This is the C `main` itself, without the start-up of the standard library: that would look for the main thread's
/// guard page in `/proc/self/maps` and install handlers for a stack overflow, an eighth of the time a plugin takes to
/// start, and link 140 kB for it.
///
/// Plugins that it delegates to and has in it are behind the plugin: `cni_skel::plugin_main!(MyPlugin, with
/// [MyIpam]);`. See [`Delegates`](crate::Delegates).
///
/// An executable that is something else when its first argument is a certain word says so:
/// `cni_skel::plugin_main!(MyPlugin, "daemon" => my_daemon);`, where `my_daemon` takes the arguments behind the word
/// and gives the exit status.
#[macro_export]
macro_rules! plugin_main {
    ($plugin:expr, $word:literal => $other:expr) => {
        $crate::notes!();
        // Reason for `unsafe`: as below.
        #[unsafe(no_mangle)]
        extern "C" fn main(argc: std::ffi::c_int, argv: *const *const std::ffi::c_char) -> std::ffi::c_int {
            // SAFETY: these are the C main's own.
            let arguments = unsafe { $crate::arguments(argc, argv) };
            match arguments.get(1..) {
                Some([word, rest @ ..]) if word == $word => $crate::start_with(|| $other(rest)),
                _ => $crate::start(&$plugin, &[]),
            }
        }
    };
    ($plugin:expr) => {
        $crate::plugin_main!($plugin, with []);
    };
    ($plugin:expr, with [$($delegate:expr),*]) => {
        $crate::notes!();
        const IN_PROCESS: &[&dyn $crate::Plugin] = &[$(&$delegate),*];
        // Reason for `unsafe`: the linker looks for this very name, and nothing else in a plugin has it.
        #[unsafe(no_mangle)]
        extern "C" fn main(_argc: std::ffi::c_int, _argv: *const *const std::ffi::c_char) -> std::ffi::c_int {
            $crate::start(&$plugin, IN_PROCESS)
        }
    };
}

/// What [`plugin_main`](crate::plugin_main) calls: the two things of the standard library's start-up that matter here,
/// then [`run`].
#[doc(hidden)]
pub fn start(plugin: &dyn Plugin, in_process: &'static [&'static dyn Plugin]) -> c_int {
    start_with(|| u8::from(run(plugin, in_process) != ExitCode::SUCCESS))
}

/// The same for what is no plugin; `run` gives the exit status.
#[doc(hidden)]
pub fn start_with(run: impl FnOnce() -> u8) -> c_int {
    // A runtime that closes its end, or a limit on the size of files, must not kill us in the middle of a write: the
    // attachment has to be taken back.
    // Held back for good, they do what ignored ones do. What the parent had blocked would stay blocked: a daemon could
    // not be told to end. One call for all of it.
    let held_back = SigSet::from_iter([Signal::SIGPIPE, Signal::SIGXFSZ]);
    let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&held_back), None);
    fill_standard_streams();
    // While one small thing is allocated, the allocator keeps the page of small things: else it is had from the kernel and
    // given back with each.
    black_box(vec![0_u8; 16].leak());
    c_int::from(run())
}

/// The arguments of the C main, as text. The standard library knows them only where the C library helps it to.
///
/// # Safety
/// `argv` must point to `argc` strings.
#[doc(hidden)]
pub unsafe fn arguments(argc: c_int, argv: *const *const c_char) -> Vec<String> {
    let texts = (0..usize::try_from(argc).unwrap_or(0)).map(|at| {
        // SAFETY: the caller vouches for the strings.
        unsafe { CStr::from_ptr(*argv.add(at)) }.to_string_lossy().into_owned()
    });
    texts.collect()
}

/// Opens `/dev/null`, for reading only, in place of a standard stream that is closed: else the next file or socket the
/// plugin opens would take its number, and a log line would end up in it. Writing a result there still fails.
fn fill_standard_streams() {
    let mut fds = [0, 1, 2].map(|fd| PollFd::new(standard(fd), PollFlags::empty()));
    if poll(&mut fds, PollTimeout::ZERO).is_ok_and(|n| n > 0) {
        let closed = |fd: &&PollFd<'_>| fd.revents().is_some_and(|r| r.contains(PollFlags::POLLNVAL));
        for _ in fds.iter().filter(closed) {
            // The lowest free number is taken, so each one fills the next gap; it stays open for good.
            let _ = File::open("/dev/null").map(IntoRawFd::into_raw_fd);
        }
    }
}
