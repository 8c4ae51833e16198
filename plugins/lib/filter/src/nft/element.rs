//! Elements of sets and maps.

use super::comment::{comment, write};
use super::message::{DELSETELEM, GETSETELEM, NEWSETELEM, request};
use super::verdict::{read_value, write_value};
use super::{Set, Verdict};
use cni_netlink::attr::{Attrs, each, find};
use cni_netlink::{CREATE, EXCL, Request};

// enum nft_set_elem_list_attributes, NFTA_LIST_ELEM
const TABLE: u16 = 1;
pub(super) const SET: u16 = 2;
pub(super) const ELEMENTS: u16 = 3;
const LIST_ELEM: u16 = 1;
// enum nft_set_elem_attributes
const KEY: u16 = 1;
const DATA: u16 = 2;
const USERDATA: u16 = 6;
const KEY_END: u16 = 10;
/// Elements in one message: a list of attributes holds 64 KiB, and an element of two IPv6 keys, a value and a comment
/// is below 320 bytes.
const PER_STEP: usize = 200;

/// An element: its key, what the key leads to, whose it is. In a concatenated key or value each field is padded
/// to 4 bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    attrs: Attrs,
}

impl Element {
    /// One key.
    pub fn new(key: &[u8]) -> Self {
        let mut attrs = Attrs::default();
        write_value(&mut attrs, KEY, key);
        Self { attrs }
    }

    /// All keys from `first` to `last`, both included, in a set of concatenated ranges.
    pub fn range(first: &[u8], last: &[u8]) -> Self {
        let mut element = Self::new(first);
        write_value(&mut element.attrs, KEY_END, last);
        element
    }

    /// With a value, in a map.
    #[must_use]
    pub fn value(mut self, value: &[u8]) -> Self {
        write_value(&mut self.attrs, DATA, value);
        self
    }

    /// With a comment of at most 128 bytes.
    #[must_use]
    pub fn comment(mut self, comment: &str) -> Self {
        write(&mut self.attrs, USERDATA, comment);
        self
    }

    /// Adds the element; `EEXIST` when its key is taken.
    pub fn add(&self, set: Set<'_>) -> Request {
        self.message(set, NEWSETELEM, CREATE | EXCL, "add an element to")
    }

    /// Adds many elements in as few steps as hold them; `EEXIST` when a key is taken.
    pub fn add_all(elements: &[Self], set: Set<'_>) -> Vec<Request> {
        Self::messages(elements, set, NEWSETELEM, CREATE | EXCL, "add elements to")
    }

    /// Removes many elements in as few steps as hold them.
    pub fn remove_all(elements: &[Self], set: Set<'_>) -> Vec<Request> {
        Self::messages(elements, set, DELSETELEM, 0, "delete elements of")
    }

    /// Removes the element with this key.
    pub fn remove(&self, set: Set<'_>) -> Request {
        self.message(set, DELSETELEM, 0, "delete an element of")
    }

    /// Asks for the element with this key.
    pub fn find(&self, set: Set<'_>) -> Request {
        self.message(set, GETSETELEM, 0, "look up an element of")
    }

    /// Asks for all elements.
    pub fn list(set: Set<'_>) -> Request {
        let mut message = request(GETSETELEM, 0, set.table.family, format!("list the elements of set {set}"));
        message.attrs.text(TABLE, set.table.name);
        message.attrs.text(SET, set.name);
        message
    }

    /// Reads the elements in an answer to [`Element::find`] or [`Element::list`].
    pub fn read(answer: &[u8]) -> impl Iterator<Item = ElementState<'_>> {
        let elements = find(answer, ELEMENTS).unwrap_or(&[]);
        each(elements).filter_map(|(_, element)| ElementState::read(element))
    }

    fn message(&self, set: Set<'_>, kind: u16, flags: u16, verb: &str) -> Request {
        Self::chunk(std::slice::from_ref(self), set, kind, flags, verb)
    }

    fn messages(elements: &[Self], set: Set<'_>, kind: u16, flags: u16, verb: &str) -> Vec<Request> {
        elements.chunks(PER_STEP).map(|chunk| Self::chunk(chunk, set, kind, flags, verb)).collect()
    }

    fn chunk(elements: &[Self], set: Set<'_>, kind: u16, flags: u16, verb: &str) -> Request {
        let mut message = request(kind, flags, set.table.family, format!("{verb} set {set}"));
        message.attrs.text(TABLE, set.table.name);
        message.attrs.text(SET, set.name);
        message.attrs.nest(ELEMENTS, |list| {
            for element in elements {
                list.nest(LIST_ELEM, |attrs| attrs.append(&element.attrs));
            }
        });
        message
    }
}

/// An element in the kernel's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElementState<'a> {
    /// The key; of a range, the first.
    pub key: &'a [u8],
    /// The last key of a range, in a set of concatenated ranges.
    pub last: Option<&'a [u8]>,
    /// What the key leads to, in a map of values.
    pub value: Option<&'a [u8]>,
    /// The verdict, in a verdict map.
    pub verdict: Option<Verdict<'a>>,
    /// The comment, if there is one.
    pub comment: Option<&'a str>,
}

impl<'a> ElementState<'a> {
    pub(super) fn read(element: &'a [u8]) -> Option<Self> {
        Some(Self {
            key: read_value(find(element, KEY)?)?,
            last: find(element, KEY_END).and_then(read_value),
            value: find(element, DATA).and_then(read_value),
            verdict: find(element, DATA).and_then(Verdict::read),
            comment: comment(element, USERDATA),
        })
    }
}
