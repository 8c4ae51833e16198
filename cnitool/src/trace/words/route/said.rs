//! A message of rtnetlink, and what is in it.

use cni_netlink::attr;

use crate::trace::words::links::Links;
use crate::trace::words::message::Message;

/// `NLM_F_DUMP`, `NLM_F_REPLACE`
const DUMP: u16 = 0x300;
const REPLACE: u16 = 0x100;

/// A message and where it was said.
pub(super) struct Said<'a> {
    pub(super) message: &'a Message<'a>,
    pub(super) inside: bool,
    pub(super) links: &'a Links,
}

impl<'a> Said<'a> {
    /// The number at this place of the fixed header.
    pub(super) fn header32(&self, at: usize) -> u32 {
        self.message.body.get(at..).and_then(attr::host32).unwrap_or_default()
    }

    pub(super) fn header8(&self, at: usize) -> u8 {
        self.message.body.get(at).copied().unwrap_or_default()
    }

    /// The attribute behind a fixed header of this many bytes.
    pub(super) fn find(&self, header: usize, kind: u16) -> Option<&'a [u8]> {
        attr::find(self.message.body.get(header..)?, kind)
    }

    pub(super) fn link(&self, index: u32) -> String {
        self.links.name(self.inside, index)
    }

    pub(super) fn lists(&self) -> bool {
        self.message.kind & 3 == 2 && self.message.flags & DUMP == DUMP
    }

    /// `add`, `replace`, `del`, `show`.
    pub(super) fn verb(&self) -> &'static str {
        match self.message.kind & 3 {
            0 if self.message.flags & REPLACE != 0 => "replace",
            0 => "add",
            1 => "del",
            _ => "show",
        }
    }
}

pub(super) fn mac(value: &[u8]) -> String {
    value.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}
