//! Words for people, beside the answer: runtimes log what a plugin writes on stderr.

use std::fmt::Display;
use std::io::Write;

use crate::stdio::Stderr;

/// Writes a line on stderr, if anybody reads there. `eprintln!` panics when nobody does.
pub fn tell(line: impl Display) {
    // In one write, so that lines of several processes do not mix.
    let _ = Stderr.write_all(format!("{line}\n").as_bytes());
}
