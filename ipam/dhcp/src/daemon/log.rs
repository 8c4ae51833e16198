//! Lines on stderr, for the journal. Not `eprintln!`, which panics when nobody reads.

/// Writes one line.
macro_rules! log {
    ($($arguments:tt)*) => {{
        use std::io::Write;
        let _ = writeln!(std::io::stderr(), $($arguments)*);
    }};
}

pub(super) use log;
