//! Steps that all have to be tried, whatever fails: those of DEL and GC.

use crate::error::{Error, Result};

/// The failures so far.
#[derive(Debug, Default)]
pub struct Failures(Vec<Error>);

impl Failures {
    /// None so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// What a step gave; `None` when it failed, which is noted.
    pub fn note<T, E: Into<Error>>(&mut self, step: std::result::Result<T, E>) -> Option<T> {
        step.map_err(|failure| self.0.push(failure.into())).ok()
    }

    /// Whether nothing has failed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many steps have failed.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// One error for all: the first one's code and message, and the others, in their order, in the details.
    ///
    /// # Errors
    /// That one, when there are any.
    pub fn fold(self) -> Result<()> {
        let mut failures = self.0.into_iter();
        let Some(mut first) = failures.next() else { return Ok(()) };
        for next in failures {
            let separator = if first.details.is_empty() { "" } else { "; " };
            first.details = format!("{}{separator}then: {next}", first.details);
        }
        Err(first)
    }
}

impl Error {
    /// Takes steps that all had to be tried, and folds their failures into one error.
    ///
    /// # Errors
    /// The folded error, when a step failed.
    pub fn all<E: Into<Self>>(steps: impl IntoIterator<Item = std::result::Result<(), E>>) -> Result<()> {
        let mut failures = Failures::new();
        for step in steps {
            failures.note(step);
        }
        failures.fold()
    }
}
