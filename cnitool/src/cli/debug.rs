//! The options of `debug`.

use std::ffi::OsString;

use cni_types::excerpt;

use super::{Command, Result, mistake};
use crate::debug::Options;

/// Reads the arguments behind `debug`.
///
/// # Errors
/// The mistake in one line, and how the verb is used.
pub(super) fn parse(arguments: &[OsString]) -> Result<Command> {
    let (mut anonymous, mut network, mut other) = (false, None, None);
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut value = |name: &str| arguments.next().ok_or_else(|| wrong(&format!("{name} needs a value")));
        match argument.to_str() {
            Some("-h" | "--help") => return Ok(Command::Help),
            Some("--anonymous") => anonymous = true,
            Some("--record") => {
                let file = value("--record")?;
                other = Some(Options::Record((file != "off").then(|| file.into())));
            }
            Some("--replay") => {
                other = Some(Options::Replay { file: value("--replay")?.into(), anonymous: false });
            }
            Some(text) if text.starts_with('-') => {
                return Err(wrong(&format!("unknown option {}", excerpt(text))));
            }
            _ if network.is_some() => return Err(wrong("it takes one network")),
            _ => network = Some(super::text(argument.clone()).map_err(|what| wrong(&what))?),
        }
    }
    let options = match (other, network) {
        (Some(Options::Replay { file, .. }), None) => Options::Replay { file, anonymous },
        (Some(record), None) => record,
        (None, Some(network)) => Options::Trial { network, anonymous },
        _ => return Err(wrong("it takes a network, or --record, or --replay")),
    };
    Ok(Command::Debug(options))
}

fn wrong(what: &str) -> String {
    mistake("debug", what)
}
