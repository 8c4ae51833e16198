//! Changes that happen together or not at all.

use cni_netlink::Request;

/// A list of changes for one transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    steps: Vec<Request>,
    is_shared: bool,
}

impl Batch {
    /// Nothing to change yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// These changes, in order.
    pub fn of(steps: impl IntoIterator<Item = Request>) -> Self {
        Self { steps: steps.into_iter().collect(), is_shared: false }
    }

    /// Says that others' changes stand on those that are in it so far, such as a table's layout.
    #[must_use]
    pub fn share(self) -> Self {
        Self { is_shared: !self.is_empty(), ..self }
    }

    /// Adds a change.
    pub fn push(&mut self, step: Request) {
        self.steps.push(step);
    }

    /// Adds changes in order.
    pub fn extend(&mut self, steps: impl IntoIterator<Item = Request>) {
        self.steps.extend(steps);
    }

    /// Adds all of another.
    pub(crate) fn append(&mut self, other: Self) {
        self.steps.extend(other.steps);
        self.is_shared |= other.is_shared;
    }

    /// Whether others' changes stand on it.
    pub(crate) fn is_shared(&self) -> bool {
        self.is_shared
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
