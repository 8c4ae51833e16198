//! Words for people, beside the answer: runtimes log what a plugin writes on stderr.

use std::fmt::Display;
use std::io::{self, Write};

/// Writes a line on stderr, if anybody reads there. `eprintln!` panics when nobody does.
pub fn tell(line: impl Display) {
    // In one write, so that lines of several processes do not mix.
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}
