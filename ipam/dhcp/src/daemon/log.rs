//! Lines on stderr, for the journal.

/// Writes one line.
macro_rules! log {
    ($($arguments:tt)*) => { cni_skel::tell(format_args!($($arguments)*)) };
}

pub(super) use log;
