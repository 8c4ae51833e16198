//! The options of `install`.

use std::ffi::OsString;
use std::path::PathBuf;

use super::command::{Command, Result};
use super::words::{Word, Words};
use crate::install::Options;

/// Reads the arguments behind `install`.
///
/// # Errors
/// The mistake in one line, and how the verb is used.
pub(super) fn parse(arguments: &[OsString]) -> Result<Command> {
    let mut options = Options::default();
    let mut dirs = Vec::new();
    let mut words = Words::new("install", arguments);
    while let Some(word) = words.next()? {
        match &word {
            Word::Plain(dir) => dirs.push(PathBuf::from(dir)),
            Word::Option(name) => match name.as_str() {
                "-h" | "--help" => return Ok(Command::Help),
                "--only-missing" => options.only_missing = true,
                "--force" => options.force = true,
                "--verify" => options.verify = true,
                "--stay" => options.stay = true,
                "--from" => options.from = Some(words.value("--from")?.into()),
                "--plugins" => options.plugins = names(&mut words)?,
                _ => return Err(words.unknown(&word)),
            },
        }
    }
    let [dir] = <[PathBuf; 1]>::try_from(dirs).map_err(|_| words.wrong("install takes one directory"))?;
    if u8::from(options.only_missing) + u8::from(options.force) + u8::from(options.verify) > 1 {
        return Err(words.wrong("--only-missing, --force and --verify exclude each other"));
    }
    if options.verify && options.stay {
        return Err(words.wrong("--verify and --stay exclude each other"));
    }
    Ok(Command::Install(Options { dir, ..options }))
}

/// Names separated by commas; an empty one would mean all.
fn names(words: &mut Words<'_>) -> Result<Vec<String>> {
    let list = words.text("--plugins")?;
    let names: Vec<String> = list.split(',').map(str::to_owned).collect();
    let is_bad = names.iter().any(String::is_empty);
    if is_bad { Err(words.wrong("--plugins takes names separated by commas")) } else { Ok(names) }
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
