//! The options of `trace`.

use std::ffi::OsString;
use std::path::PathBuf;

use cni_types::excerpt;

use super::{Command, Result, mistake};
use crate::trace::{Form, Options};

/// Reads the arguments behind `trace`.
///
/// # Errors
/// The mistake in one line, and how the verb is used.
pub(super) fn parse(arguments: &[OsString]) -> Result<Command> {
    let mut options = Options::default();
    let mut forms = 0;
    for argument in arguments {
        let form = match argument.to_str() {
            Some("-h" | "--help") => return Ok(Command::Help),
            Some("-f" | "--follow") => {
                options.follow = true;
                continue;
            }
            Some("--words") => Form::Words,
            Some("--otlp") => Form::Otlp,
            Some("--chart") => Form::Chart,
            Some(text) if text.starts_with('-') && text != "-" => {
                return Err(wrong(&format!("unknown option {}", excerpt(text))));
            }
            _ if options.file.is_some() => return Err(wrong("it takes at most one file")),
            _ => {
                options.file = Some(PathBuf::from(argument));
                continue;
            }
        };
        options.form = form;
        forms += 1;
    }
    if forms > 1 {
        return Err(wrong("--words, --otlp and --chart exclude each other"));
    }
    if options.follow && matches!(options.form, Form::Otlp | Form::Chart) {
        return Err(wrong("--otlp and --chart are of what is there; they do not follow"));
    }
    Ok(Command::Trace(options))
}

fn wrong(what: &str) -> String {
    mistake("trace", what)
}
