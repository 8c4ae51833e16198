//! The options of `trace`.

use std::ffi::OsString;
use std::path::PathBuf;

use super::command::{Command, Result};
use super::words::{Word, Words};
use crate::trace::{Form, Options};

/// Reads the arguments behind `trace`.
///
/// # Errors
/// The mistake in one line, and how the verb is used.
pub(super) fn parse(arguments: &[OsString]) -> Result<Command> {
    let mut options = Options::default();
    let mut forms = 0;
    let mut words = Words::new("trace", arguments);
    while let Some(word) = words.next()? {
        let form = match &word {
            Word::Plain(_) if options.file.is_some() => return Err(words.wrong("it takes at most one file")),
            Word::Plain(file) => {
                options.file = Some(PathBuf::from(file));
                continue;
            }
            Word::Option(name) => match name.as_str() {
                "-h" | "--help" => return Ok(Command::Help),
                "-f" | "--follow" => {
                    options.follow = true;
                    continue;
                }
                "--words" => Form::Words,
                "--otlp" => Form::Otlp,
                "--chart" => Form::Chart,
                _ => return Err(words.unknown(&word)),
            },
        };
        options.form = form;
        forms += 1;
    }
    if forms > 1 {
        return Err(words.wrong("--words, --otlp and --chart exclude each other"));
    }
    if options.follow && matches!(options.form, Form::Otlp | Form::Chart) {
        return Err(words.wrong("--otlp and --chart are of what is there; they do not follow"));
    }
    Ok(Command::Trace(options))
}
