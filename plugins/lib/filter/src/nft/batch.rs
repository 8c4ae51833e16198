//! Changes that happen together or not at all.

use cni_netlink::Request;

/// A list of changes for one transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    steps: Vec<Request>,
}

impl Batch {
    /// Nothing to change yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// These changes, in order.
    pub fn of(steps: impl IntoIterator<Item = Request>) -> Self {
        Self { steps: steps.into_iter().collect() }
    }

    /// Adds a change.
    pub fn push(&mut self, step: Request) {
        self.steps.push(step);
    }

    /// Adds changes in order.
    pub fn extend(&mut self, steps: impl IntoIterator<Item = Request>) {
        self.steps.extend(steps);
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The changes.
    pub fn steps(&self) -> &[Request] {
        &self.steps
    }
}
