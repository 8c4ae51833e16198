//! What people are told: text on stdout, and errors.

use std::io::Write;

use cni_skel::Stdout;
use cni_types::{Error, Result};

/// Writes the text to stdout.
///
/// # Errors
/// Code 5 when that is closed or full.
pub(crate) fn print(text: &str) -> Result<()> {
    let written = Stdout.write_all(text.as_bytes());
    written.map_err(|e| Error::io("cannot write to stdout", &e))
}

/// The error as people are told it.
pub(crate) fn with_code(error: &Error) -> String {
    format!("{error} (CNI error code {})", error.code.0)
}
