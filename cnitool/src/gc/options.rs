//! What is asked of `gc`.

use std::io::{IsTerminal, Write, stdin, stdout};
use std::time::Duration;

use cni_types::{Error, Result};

use super::keep::Keep;

/// What the command line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    /// All where none is named.
    pub(crate) networks: Vec<String>,
    /// Who is alive; together.
    pub(crate) keep: Vec<Keep>,
    pub(crate) dry_run: bool,
    /// Do not ask.
    pub(crate) yes: bool,
    /// How old an attachment has to be that has a namespace and is not in the list.
    pub(crate) grace: Duration,
    /// Again and again, with this in between.
    pub(crate) every: Option<Duration>,
}

impl Options {
    /// On a terminal, where nobody has said `--yes`, the person is asked.
    pub(super) fn is_confirmed(&self) -> Result<bool> {
        if self.yes || !stdin().is_terminal() || !stdout().is_terminal() {
            return Ok(true);
        }
        let _ = write!(stdout(), "Remove what the dead have left? [y/N] ").and_then(|()| stdout().flush());
        let mut answer = String::new();
        stdin().read_line(&mut answer).map_err(|e| Error::io("cannot read the answer", &e))?;
        Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
    }
}
