//! The options of `validate`.

use std::ffi::OsString;
use std::path::PathBuf;

use cni_types::excerpt;

use super::{Command, Result, mistake};
use crate::validate::Options;

/// Reads the arguments behind `validate`.
///
/// # Errors
/// The mistake in one line, and how the verb is used.
pub(super) fn parse(arguments: &[OsString]) -> Result<Command> {
    let mut options = Options::default();
    for argument in arguments {
        match argument.to_str() {
            Some("-h" | "--help") => return Ok(Command::Help),
            Some("--json") => options.json = true,
            Some("--strict") => options.strict = true,
            Some("--node") => options.node = true,
            Some(text) if text.starts_with('-') && text != "-" => {
                return Err(mistake("validate", &format!("unknown option {}", excerpt(text))));
            }
            _ => options.paths.push(PathBuf::from(argument)),
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
