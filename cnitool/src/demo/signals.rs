//! Ctrl-C and SIGTERM: remembered, and looked at between two steps, so that what was made is taken back in order.

use std::sync::atomic::{AtomicI32, Ordering};

use cni_types::{Code, Error, Result};
use nix::libc::c_int;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

static CAUGHT: AtomicI32 = AtomicI32::new(0);

extern "C" fn remember(signal: c_int) {
    CAUGHT.store(signal, Ordering::Relaxed);
}

/// From now on these signals no longer end the process. Plugins start with the default again: a handler does not
/// outlive `execve`.
///
/// # Errors
/// Code 5 when the kernel refuses.
pub(super) fn catch() -> Result<()> {
    // No SA_RESTART: a ping that waits for its answer should stop waiting.
    let action = SigAction::new(SigHandler::Handler(remember), SaFlags::empty(), SigSet::empty());
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        // SAFETY: the handler only stores to an atomic, which is async-signal-safe.
        unsafe { sigaction(signal, &action) }
            .map_err(|e| Error::new(Code::IO, format!("cannot catch {signal}")).because(e))?;
    }
    Ok(())
}

/// The signal that came in, if one did.
pub(super) fn caught() -> Option<Signal> {
    Signal::try_from(CAUGHT.load(Ordering::Relaxed)).ok()
}

/// # Errors
/// When a signal came in: nothing more should be made.
pub(super) fn refuse_when_caught() -> Result<()> {
    caught().map_or(Ok(()), |signal| Err(Error::try_again(format!("interrupted by {signal}"))))
}
