//! The options of the verbs that look: `ls`.

use std::ffi::OsString;

use cni_types::excerpt;

use super::{Command, Result, mistake};
use crate::ls;

/// The arguments behind a verb, one after the other.
struct Words<'a> {
    verb: &'a str,
    rest: std::slice::Iter<'a, OsString>,
}

impl Words<'_> {
    /// The next option with its value, if it has one behind `=`; a word without a dash is an option without a name.
    fn next(&mut self) -> Option<(String, Option<String>)> {
        let text = self.rest.next()?.to_string_lossy().into_owned();
        Some(match text.split_once('=') {
            Some((name, value)) if text.starts_with("--") => (name.to_owned(), Some(value.to_owned())),
            _ => (text, None),
        })
    }

    fn value(&mut self, name: &str, given: Option<String>) -> Result<String> {
        let value = given.or_else(|| self.rest.next().map(|value| value.to_string_lossy().into_owned()));
        value.filter(|value| !value.is_empty()).ok_or_else(|| self.wrong(&format!("{name} needs a value")))
    }

    fn wrong(&self, what: &str) -> String {
        mistake(self.verb, what)
    }

    fn unknown(&self, text: &str) -> String {
        let kind = if text.starts_with('-') { "unknown option" } else { "it takes options only, not" };
        self.wrong(&format!("{kind} {}", excerpt(text)))
    }
}

/// Reads the arguments behind `ls`.
///
/// # Errors
/// The mistake in one line, and how the verb is used.
pub(super) fn ls(arguments: &[OsString]) -> Result<Command> {
    let mut words = Words { verb: "ls", rest: arguments.iter() };
    let mut options = ls::Options::default();
    while let Some((name, value)) = words.next() {
        match name.as_str() {
            "-h" | "--help" => return Ok(Command::Help),
            "-o" | "--output" => {
                let format = words.value(&name, value)?;
                options.format = match format.as_str() {
                    "wide" => ls::Format::Wide,
                    "json" => ls::Format::Json,
                    "name" => ls::Format::Name,
                    _ => return Err(words.wrong("-o takes wide, json or name")),
                };
            }
            "--network" => options.network = Some(words.value(&name, value)?),
            other => return Err(words.unknown(other)),
        }
    }
    Ok(Command::Ls(options))
}
