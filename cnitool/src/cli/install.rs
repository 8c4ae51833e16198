//! The options of `install`.

use std::ffi::OsString;
use std::path::PathBuf;

use cni_types::excerpt;

use super::{Command, Result, mistake};
use crate::install::Options;

/// Reads the arguments behind `install`.
///
/// # Errors
/// The mistake in one line, and how the verb is used.
pub(super) fn parse(arguments: &[OsString]) -> Result<Command> {
    let mut options = Options::default();
    let mut dirs = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut value =
            |name: &str| arguments.next().cloned().ok_or_else(|| wrong(&format!("{name} needs a value")));
        match argument.to_str() {
            Some("-h" | "--help") => return Ok(Command::Help),
            Some("--only-missing") => options.only_missing = true,
            Some("--force") => options.force = true,
            Some("--verify") => options.verify = true,
            Some("--stay") => options.stay = true,
            Some("--from") => options.from = Some(value("--from")?.into()),
            Some("--plugins") => options.plugins = names(&value("--plugins")?.to_string_lossy())?,
            Some(text) if text.starts_with('-') => match text.split_once('=') {
                Some(("--from", dir)) => options.from = Some(dir.into()),
                Some(("--plugins", list)) => options.plugins = names(list)?,
                _ => return Err(wrong(&format!("unknown option {}", excerpt(text)))),
            },
            _ => dirs.push(PathBuf::from(argument)),
        }
    }
    let [dir] = <[PathBuf; 1]>::try_from(dirs).map_err(|_| wrong("install takes one directory"))?;
    if u8::from(options.only_missing) + u8::from(options.force) + u8::from(options.verify) > 1 {
        return Err(wrong("--only-missing, --force and --verify exclude each other"));
    }
    if options.verify && options.stay {
        return Err(wrong("--verify and --stay exclude each other"));
    }
    Ok(Command::Install(Options { dir, ..options }))
}

fn wrong(what: &str) -> String {
    mistake("install", what)
}

/// Names separated by commas; an empty list would mean all.
fn names(list: &str) -> Result<Vec<String>> {
    let names: Vec<String> = list.split(',').map(str::to_owned).collect();
    let is_bad = names.iter().any(String::is_empty);
    if is_bad { Err(wrong("--plugins takes names separated by commas")) } else { Ok(names) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command> {
        super::parse(&line.split_whitespace().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn options_of_install() {
        let all = Options { dir: "/d".into(), ..Options::default() };
        assert_eq!(parse("/d").unwrap(), Command::Install(all.clone()));
        let some = Options {
            plugins: vec!["tap".into(), "ptp".into()],
            from: Some("/f".into()),
            force: true,
            ..all
        };
        for line in ["--plugins tap,ptp --from /f --force /d", "/d --force --from=/f --plugins=tap,ptp"] {
            assert_eq!(parse(line).unwrap(), Command::Install(some.clone()));
        }
        for line in ["", "/a /b", "--forse /d", "/d --plugins", "/d --plugins=", "--force --only-missing /d"]
        {
            assert!(parse(line).unwrap_err().contains("\nusage: cnitool install [--from DIR]"), "{line}");
        }
    }
}
