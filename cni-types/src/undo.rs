//! Taking back what a failed ADD has made: one idiom for every plugin.

use crate::error::Result;

/// A journal of how to take back what was done. Register each step right next to the act. Dropped without
/// [`Undo::commit`], it runs the steps backwards and reports on stderr those that fail.
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
            if let Err(error) = (step.run)() {
                eprintln!("undo: cannot {}: {error}", step.what);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::error::Error;

    #[test]
    fn steps_run_backwards_and_a_failing_one_stops_nothing() {
        let log = RefCell::new(Vec::new());
        let mut undo = Undo::new();
        for name in ["a", "b", "c"] {
            let log = &log;
            undo.push(name, move || {
                log.borrow_mut().push(name);
                if name == "b" { Err(Error::config("b")) } else { Ok(()) }
            });
        }
        drop(undo);
        assert_eq!(*log.borrow(), ["c", "b", "a"]);
    }

    #[test]
    fn a_commit_takes_nothing_back() {
        let ran = RefCell::new(false);
        let mut undo = Undo::new();
        undo.push("x", || {
            *ran.borrow_mut() = true;
            Ok(())
        });
        undo.commit();
        assert!(!*ran.borrow());
    }
}
