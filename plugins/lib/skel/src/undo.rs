//! Taking back what a failed ADD has made: one idiom for every plugin.

use std::panic::{AssertUnwindSafe, catch_unwind};

use cni_types::Result;

use crate::tell;

/// A journal of how to take back what was done. Register each step right next to the act. Dropped without
/// [`Undo::commit`], it runs the steps backwards and reports on stderr those that fail. A step that fails or panics
/// stops none of the others, also while a panic of the plugin unwinds.
#[derive(Default)]
#[must_use = "dropping the journal takes everything back"]
pub struct Undo<'a> {
    steps: Vec<Step<'a>>,
}

struct Step<'a> {
    what: String,
    run: Box<dyn FnOnce() -> Result<()> + 'a>,
}

impl<'a> Undo<'a> {
    /// An empty journal.
    pub fn new() -> Self {
        Self::default()
    }

    /// Registers a step: `what` reads as an act, such as "delete eth0 in the container".
    pub fn push(&mut self, what: impl Into<String>, run: impl FnOnce() -> Result<()> + 'a) {
        self.steps.push(Step { what: what.into(), run: Box::new(run) });
    }

    /// Everything went well: nothing will be taken back.
    pub fn commit(mut self) {
        self.steps.clear();
    }
}

impl Drop for Undo<'_> {
    fn drop(&mut self) {
        for step in self.steps.drain(..).rev() {
            match catch_unwind(AssertUnwindSafe(step.run)) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tell(format_args!("undo: cannot {}: {error}", step.what)),
                Err(_) => tell(format_args!("undo: cannot {}: a defect of the plugin", step.what)),
            }
        }
    }
}
