//! Sets and maps.

use super::Table;
use super::lookup::text;
use super::message::{DELSET, GETSET, NEWSET, request};
use cni_netlink::{CREATE, Request};

// enum nft_set_attributes
const TABLE: u16 = 1;
const NAME: u16 = 2;
pub(super) const FLAGS: u16 = 3;
pub(super) const KEY_TYPE: u16 = 4;
const KEY_LEN: u16 = 5;
pub(super) const DATA_TYPE: u16 = 6;
const DATA_LEN: u16 = 7;
const DESC: u16 = 9;
const ID: u16 = 10;
// enum nft_set_desc_attributes, enum nft_set_field_attributes, NFTA_LIST_ELEM
const DESC_CONCAT: u16 = 2;
const FIELD_LEN: u16 = 1;
const LIST_ELEM: u16 = 1;
// enum nft_set_flags
pub(super) const INTERVAL: u32 = 0x4;
const MAP: u32 = 0x8;
const CONCAT: u32 = 0x80;
/// Bits per field in the type number of a concatenation (`TYPE_BITS` of nft's `datatype.h`).
const TYPE_BITS: u32 = 6;

/// The type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DataType {
    pub(super) name: &'static str,
    /// As `nft` numbers it (`enum datatypes`). The kernel only stores the number.
    number: u32,
    pub(super) bytes: u32,
}

const TYPES: [DataType; 6] = [
    DataType { name: "ipv4_addr", number: 7, bytes: 4 },
    DataType { name: "ipv6_addr", number: 8, bytes: 16 },
    DataType { name: "ether_addr", number: 9, bytes: 6 },
    DataType { name: "inet_proto", number: 12, bytes: 1 },
    DataType { name: "inet_service", number: 13, bytes: 2 },
    DataType { name: "ifname", number: 41, bytes: 16 },
];

impl DataType {
    /// The one of this name in `nft`.
    pub(super) fn find(name: &str) -> Option<Self> {
        TYPES.into_iter().find(|known| known.name == name)
    }

    /// The types in the number of a concatenation, the last one first.
    pub(super) fn split(number: u32) -> impl Iterator<Item = Option<Self>> {
        let numbers = std::iter::successors(Some(number), |number| Some(number >> TYPE_BITS));
        let last = |number: u32| number & ((1 << TYPE_BITS) - 1);
        numbers
            .take_while(|number| *number != 0)
            .map(move |number| TYPES.into_iter().find(|known| known.number == last(number)))
    }

    /// Number and length of a concatenation; in one each field is padded to 4 bytes.
    fn concatenation(fields: &[Self]) -> (u32, u32) {
        if let [one] = fields {
            return (one.number, one.bytes);
        }
        fields.iter().fold((0, 0), |(number, len), field| {
            (number << TYPE_BITS | field.number, len + field.bytes.next_multiple_of(4))
        })
    }
}

/// A set or map by its name, at most 255 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Set<'a> {
    /// The table it is in.
    pub table: Table<'a>,
    /// The name.
    pub name: &'a str,
}

impl Set<'_> {
    /// Asks for the sets of a table.
    pub fn list(table: Table<'_>) -> Request {
        let mut message = request(GETSET, 0, table.family, format!("list the sets of table {table}"));
        message.attrs.text(TABLE, table.name);
        message
    }

    /// The name of a listed set.
    pub fn read_name(answer: &[u8]) -> Option<&str> {
        text(answer, NAME)
    }

    /// Removes the set; `EBUSY` while a rule refers to it.
    pub fn remove(self) -> Request {
        self.message(DELSET, 0, "delete")
    }

    /// Creates a set, or a map if there are `data`; one that is there stays as it is, but must be of the same type.
    /// `id` must be unique in the batch.
    pub(super) fn ensure(self, id: u32, key: &[DataType], data: &[DataType], interval: bool) -> Request {
        let mut flags = if interval { INTERVAL } else { 0 };
        if !data.is_empty() {
            flags |= MAP;
        }
        // The kernel wants the fields' lengths only to compare ranges field by field.
        let ranges_of_fields = interval && key.len() > 1;
        if ranges_of_fields {
            flags |= CONCAT;
        }
        let (key_type, key_len) = DataType::concatenation(key);
        let mut message = self.message(NEWSET, CREATE, "create");
        message.attrs.net32(FLAGS, flags);
        message.attrs.net32(KEY_TYPE, key_type);
        message.attrs.net32(KEY_LEN, key_len);
        if !data.is_empty() {
            let (data_type, data_len) = DataType::concatenation(data);
            message.attrs.net32(DATA_TYPE, data_type);
            message.attrs.net32(DATA_LEN, data_len);
        }
        message.attrs.net32(ID, id);
        if ranges_of_fields {
            message.attrs.nest(DESC, |desc| {
                desc.nest(DESC_CONCAT, |fields| {
                    for field in key {
                        fields.nest(LIST_ELEM, |attrs| attrs.net32(FIELD_LEN, field.bytes));
                    }
                });
            });
        }
        message
    }

    fn message(self, kind: u16, flags: u16, verb: &str) -> Request {
        let mut message = request(kind, flags, self.table.family, format!("{verb} set {self}"));
        message.attrs.text(TABLE, self.table.name);
        message.attrs.text(NAME, self.name);
        message
    }
}

impl std::fmt::Display for Set<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.table, self.name)
    }
}
