//! The options of `debug`.

use std::ffi::OsString;

use super::command::{Command, Result};
use super::words::{Word, Words};
use crate::debug::Options;

/// Reads the arguments behind `debug`.
///
/// # Errors
/// The mistake in one line, and how the verb is used.
pub(super) fn parse(arguments: &[OsString]) -> Result<Command> {
    let (mut anonymous, mut network, mut other) = (false, None, None);
    let mut words = Words::new("debug", arguments);
    while let Some(word) = words.next()? {
        match &word {
            Word::Plain(_) if network.is_some() => return Err(words.wrong("it takes one network")),
            Word::Plain(name) => network = Some(words.plain(name)?),
            Word::Option(name) => match name.as_str() {
                "-h" | "--help" => return Ok(Command::Help),
                "--anonymous" => anonymous = true,
                "--record" => {
                    let file = words.value("--record")?;
                    other = Some(Options::Record((file != "off").then(|| file.into())));
                }
                "--replay" => {
                    let file = words.value("--replay")?.into();
                    other = Some(Options::Replay { file, anonymous: false });
                }
                _ => return Err(words.unknown(&word)),
            },
        }
    }
    let options = match (other, network) {
        (Some(Options::Replay { file, .. }), None) => Options::Replay { file, anonymous },
        (Some(record), None) => record,
        (None, Some(network)) => Options::Trial { network, anonymous },
        _ => return Err(words.wrong("it takes a network, or --record, or --replay")),
    };
    Ok(Command::Debug(options))
}
