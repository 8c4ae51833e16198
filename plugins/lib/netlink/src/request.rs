//! What the kernel is asked for, and what it answers to that.

use crate::attr::Attrs;
use crate::protocol::Protocol;
use crate::wire::{ACK, DUMP, put_message};

/// A request, with its purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Completes "cannot …" in an error.
    pub doing: String,
    /// The message type.
    pub kind: u16,
    /// `NLM_F_*`, without those that say which answer is wanted: these are the verb's.
    pub flags: u16,
    /// What is behind the netlink header: the fixed header, whose length is a multiple of 4, and the attributes.
    pub attrs: Attrs,
}

impl Request {
    /// A request of type `kind`.
    pub fn new(doing: impl Into<String>, kind: u16, flags: u16, attrs: Attrs) -> Self {
        Self { doing: doing.into(), kind, flags, attrs }
    }

    /// The request with the answer that it gets by itself: a look-up an object, anything else a word.
    pub(crate) fn alone(&self, protocol: Protocol) -> Message<'_> {
        let answer = if protocol.is_lookup(self.kind) { Answered::Object } else { Answered::Word };
        Message { request: self, answer }
    }
}

/// What the kernel answers to a message, when it does not refuse it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answered {
    /// An object, and that is all.
    Object,
    /// Objects, and that they are all.
    List,
    /// That it is done.
    Word,
    /// Nothing: a step of a batch.
    Silence,
}

/// A request on its way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Message<'a> {
    pub(crate) request: &'a Request,
    pub(crate) answer: Answered,
}

impl Message<'_> {
    /// Appends what goes over the wire.
    pub(crate) fn put(&self, out: &mut Vec<u8>, sequence: u32) {
        let flags = match self.answer {
            Answered::Object | Answered::Silence => 0,
            Answered::List => DUMP,
            Answered::Word => ACK,
        };
        let Request { kind, attrs, .. } = self.request;
        put_message(out, *kind, self.request.flags | flags, sequence, attrs.as_bytes());
    }
}
