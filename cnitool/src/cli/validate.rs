//! The options of `validate`.

use std::ffi::OsString;
use std::path::PathBuf;

use super::command::{Command, Result};
use super::words::{Word, Words};
use crate::validate::Options;

/// Reads the arguments behind `validate`.
///
/// # Errors
/// The mistake in one line, and how the verb is used.
pub(super) fn parse(arguments: &[OsString]) -> Result<Command> {
    let mut options = Options::default();
    let mut words = Words::new("validate", arguments);
    while let Some(word) = words.next()? {
        match &word {
            Word::Plain(path) => options.paths.push(PathBuf::from(path)),
            Word::Option(name) => match name.as_str() {
                "-h" | "--help" => return Ok(Command::Help),
                "--json" => options.json = true,
                "--strict" => options.strict = true,
                "--node" => options.node = true,
                _ => return Err(words.unknown(&word)),
            },
        }
    }
    Ok(Command::Validate(options))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_validate() {
        let parse = |line: &str| parse(&line.split_whitespace().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(parse("").unwrap(), Command::Validate(Options::default()));
        let all = Options { paths: vec!["a".into(), "-".into()], json: true, strict: true, node: true };
        assert_eq!(parse("--json a --strict --node -").unwrap(), Command::Validate(all));
        assert!(
            parse("--jsn a")
                .unwrap_err()
                .contains("unknown option \"--jsn\"\nusage: cnitool validate [--json]")
        );
    }
}
