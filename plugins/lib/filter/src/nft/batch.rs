//! Changes that happen together or not at all.

use super::Message;
use super::message::{begin, end};
use cni_netlink::ACK;

/// A list of changes for one transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    steps: Vec<Message>,
}

impl Batch {
    /// Nothing to change yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a change.
    pub fn push(&mut self, step: Message) {
        self.steps.push(step);
    }

    /// Adds changes in order.
    pub fn extend(&mut self, steps: impl IntoIterator<Item = Message>) {
        self.steps.extend(steps);
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The changes.
    pub fn steps(&self) -> &[Message] {
        &self.steps
    }

    /// The batch's bytes and the sequence number of its last step. The begin has number `first`, the steps follow.
    /// Only the last step asks for an answer; failing ones answer unasked.
    pub(super) fn encode(&self, first: u32, generation: Option<u32>, commit: bool) -> (Vec<u8>, u32) {
        let mut out = Vec::with_capacity(128 * (self.steps.len() + 1));
        begin(&mut out, first, generation);
        let mut sequence = first;
        for (i, step) in self.steps.iter().enumerate() {
            sequence += 1;
            step.encode(sequence, if i + 1 == self.steps.len() { ACK } else { 0 }, &mut out);
        }
        if commit {
            end(&mut out, sequence + 1);
        }
        (out, sequence)
    }
}
