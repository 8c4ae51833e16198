//! The demonstration.

use std::path::Path;
use std::process::ExitCode;

pub(crate) fn run(_conflist: Option<&Path>) -> ExitCode {
    eprintln!("the demonstration is not built yet");
    ExitCode::FAILURE
}
