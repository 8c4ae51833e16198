//! Messages of rtnetlink (`linux/rtnetlink.h`) in the words of iproute2.

mod link;
mod place;

use std::net::IpAddr;

use cni_netlink::attr;

use super::{Links, Message};

/// `NLM_F_DUMP`, `NLM_F_REPLACE`
const DUMP: u16 = 0x300;
const REPLACE: u16 = 0x100;

/// `None` for what has no words.
pub(super) fn words(message: &Message<'_>, inside: bool, links: &Links) -> Option<String> {
    let said = Said { message, inside, links };
    match message.kind {
        16..=19 => link::words(&said),
        20..=22 => place::address(&said),
        24..=26 => place::route(&said),
        28..=30 => place::neighbour(&said),
        32..=34 => place::rule(&said),
        36..=38 => place::qdisc(&said),
        _ => None,
    }
}

/// A message and where it was said.
struct Said<'a> {
    message: &'a Message<'a>,
    inside: bool,
    links: &'a Links,
}

impl<'a> Said<'a> {
    /// The number at this place of the fixed header.
    fn header32(&self, at: usize) -> u32 {
        self.message.body.get(at..).and_then(attr::host32).unwrap_or_default()
    }

    fn header8(&self, at: usize) -> u8 {
        self.message.body.get(at).copied().unwrap_or_default()
    }

    /// The attribute behind a fixed header of this many bytes.
    fn find(&self, header: usize, kind: u16) -> Option<&'a [u8]> {
        attr::find(self.message.body.get(header..)?, kind)
    }

    fn link(&self, index: u32) -> String {
        self.links.name(self.inside, index)
    }

    fn lists(&self) -> bool {
        self.message.kind & 3 == 2 && self.message.flags & DUMP == DUMP
    }

    /// `add`, `replace`, `del`, `show`.
    fn verb(&self) -> &'static str {
        match self.message.kind & 3 {
            0 if self.message.flags & REPLACE != 0 => "replace",
            0 => "add",
            1 => "del",
            _ => "show",
        }
    }
}

fn ip(value: &[u8]) -> Option<IpAddr> {
    match value.len() {
        4 => attr::array::<4>(value).map(IpAddr::from),
        16 => attr::array::<16>(value).map(IpAddr::from),
        _ => None,
    }
}

fn mac(value: &[u8]) -> String {
    value.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}
