//! `demo --model`.

use std::ffi::OsString;

use super::command::{Command, Result};
use super::mistake::mistake;
use crate::demo::Model;

/// Reads the arguments behind `demo`, where `--model` is one of them.
///
/// # Errors
/// The mistake in one line, and how the verb is used.
pub(super) fn model(rest: &[OsString]) -> Result<Command> {
    let name = match rest {
        [option, name] if option == "--model" => name.to_string_lossy().into_owned(),
        [option] => option.to_string_lossy().trim_start_matches("--model=").to_owned(),
        _ => String::new(),
    };
    let found = Model::ALL.into_iter().find(|model| model.name() == name);
    let all = || Model::ALL.map(Model::name).join(", ");
    found
        .map(Command::Model)
        .ok_or_else(|| mistake("demo", &format!("--model takes one of {}, and nothing else", all())))
}
