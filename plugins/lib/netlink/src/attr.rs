//! Attributes (`struct nlattr`): a 16-bit length, a 16-bit type, the value, padding to 4 bytes. rtnetlink has its
//! numbers in host order, netfilter in network order.
//!
//! The rule for lengths, as the kernel has it (`validate_nla`, `lib/nlattr.c`): a value of a fixed size is what its
//! first bytes say, since a newer kernel may have more of them; one that is too short says nothing, as if it were not
//! there. An IP address is the exception: its length is its family. What is longer than an attribute can be is not sent
//! ([`Attrs::is_too_long`]).

mod read;

pub use read::{agrees, array, byte, each, find, host16, host32, host64, net16, net32, net64, text};

/// `NLA_F_NESTED`: the value is a list of attributes.
const NESTED: u16 = 0x8000;
/// Everything in an attribute's type field that is not a flag (`NLA_TYPE_MASK`).
const KIND_MASK: u16 = 0x3fff;

/// A list of attributes being written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attrs {
    bytes: Vec<u8>,
    is_too_long: bool,
}

impl Attrs {
    /// Attributes behind a message's fixed header, whose length must be a multiple of 4.
    pub fn behind(header: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(256);
        bytes.extend_from_slice(header);
        Self { bytes, is_too_long: false }
    }

    /// An attribute with these bytes.
    pub fn bytes(&mut self, kind: u16, value: &[u8]) {
        let at = self.start(kind);
        self.bytes.extend_from_slice(value);
        self.finish(at);
    }

    /// A text with its terminating NUL.
    pub fn text(&mut self, kind: u16, text: &str) {
        let at = self.start(kind);
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.push(0);
        self.finish(at);
    }

    /// An 8-bit number.
    pub fn byte(&mut self, kind: u16, number: u8) {
        self.bytes(kind, &[number]);
    }

    /// A 32-bit number in host order.
    pub fn host32(&mut self, kind: u16, number: u32) {
        self.bytes(kind, &number.to_ne_bytes());
    }

    /// A 32-bit number in network order.
    pub fn net32(&mut self, kind: u16, number: u32) {
        self.bytes(kind, &number.to_be_bytes());
    }

    /// A 64-bit number in network order.
    pub fn net64(&mut self, kind: u16, number: u64) {
        self.bytes(kind, &number.to_be_bytes());
    }

    /// An attribute that holds attributes.
    pub fn nest(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) {
        let at = self.start(kind | NESTED);
        fill(self);
        self.finish(at);
    }

    /// Bytes between attributes: the header of a message inside a message. Their length must be a multiple of 4.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Attributes written elsewhere.
    pub fn append(&mut self, other: &Self) {
        self.raw(&other.bytes);
        self.is_too_long |= other.is_too_long;
    }

    /// What goes over the wire.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether one of the attributes, with all that is in it, has more than 65 535 bytes: its length cannot be said, so
    /// a request with it is refused with `EMSGSIZE` before it is sent.
    pub fn is_too_long(&self) -> bool {
        self.is_too_long
    }

    fn start(&mut self, kind: u16) -> usize {
        let at = self.bytes.len();
        // Few stay as short as the first: growing from nothing is what costs.
        if at == 0 {
            self.bytes.reserve(96);
        }
        let [one, two] = kind.to_ne_bytes();
        self.bytes.extend_from_slice(&[0, 0, one, two]);
        at
    }

    fn finish(&mut self, at: usize) {
        let length = u16::try_from(self.bytes.len() - at);
        self.is_too_long |= length.is_err();
        let length = length.unwrap_or(u16::MAX);
        self.bytes[at..at + 2].copy_from_slice(&length.to_ne_bytes());
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_padded_and_nested() {
        let mut attrs = Attrs::default();
        attrs.text(1, "ab");
        attrs.nest(2, |inner| inner.net32(3, 7));
        let len = |n: u16| n.to_ne_bytes();
        let golden =
            [&len(7)[..], &len(1), b"ab\0\0", &len(12), &len(0x8002), &len(8), &len(3), &[0, 0, 0, 7]]
                .concat();
        assert_eq!(attrs.as_bytes(), golden);
        assert_eq!(find(&golden, 1).and_then(text), Some("ab"));
        assert_eq!(find(&golden, 2).and_then(|inner| find(inner, 3)).and_then(net32), Some(7));
    }

    #[test]
    fn a_value_that_is_too_short_says_nothing_and_a_longer_one_what_it_begins_with() {
        let bytes = [1, 0, 0, 2, 0, 0, 0, 3, 9];
        for (size, read) in [
            (1, (|v| byte(v).map(u64::from)) as fn(&[u8]) -> Option<u64>),
            (2, |v| host16(v).map(|n| n.to_le().into())),
            (2, |v| net16(v).map(|n| n.swap_bytes().into())),
            (4, |v| host32(v).map(|n| n.to_le().into())),
            (4, |v| net32(v).map(|n| n.swap_bytes().into())),
            (8, |v| host64(v).map(u64::to_le)),
            (8, |v| net64(v).map(u64::swap_bytes)),
        ] {
            let mut number = [0; 8];
            number[..size].copy_from_slice(&bytes[..size]);
            assert_eq!(read(&bytes[..size - 1]), None);
            for longer in size..bytes.len() {
                assert_eq!(read(&bytes[..longer]), Some(u64::from_le_bytes(number)), "{size} {longer}");
            }
        }
    }

    #[test]
    fn what_an_attribute_cannot_hold_is_not_cut() {
        let mut attrs = Attrs::default();
        attrs.bytes(1, &[0; 65_531]);
        assert!(!attrs.is_too_long());
        let mut nest = Attrs::default();
        nest.nest(2, |inner| inner.append(&attrs));
        assert!(nest.is_too_long());
        let mut behind = Attrs::behind(&[0; 4]);
        behind.append(&nest);
        assert!(behind.is_too_long());
    }

    #[test]
    fn malformed_attributes_end_the_list() {
        // A length, a type of 1, and what follows.
        let bytes =
            |length: u16, rest: &[u8]| [&length.to_ne_bytes()[..], &1_u16.to_ne_bytes(), rest].concat();
        for bad in [vec![1, 0], bytes(3, &[]), bytes(200, &[5]), bytes(0, &[])] {
            assert_eq!(each(&bad).count(), 0, "{bad:?}");
        }
        assert_eq!(each(&bytes(5, &[9])).collect::<Vec<_>>(), [(1, &[9][..])]);
    }
}
