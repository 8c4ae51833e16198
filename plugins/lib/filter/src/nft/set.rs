//! Sets and maps.

use super::Table;
use super::lookup::text;
use super::message::{DELSET, GETSET, NEWSET, request};
use cni_netlink::{CREATE, Request};
use cni_types::Family;

// enum nft_set_attributes
const TABLE: u16 = 1;
const NAME: u16 = 2;
const FLAGS: u16 = 3;
const KEY_TYPE: u16 = 4;
const KEY_LEN: u16 = 5;
const DATA_TYPE: u16 = 6;
const DATA_LEN: u16 = 7;
const DESC: u16 = 9;
const ID: u16 = 10;
// enum nft_set_desc_attributes, enum nft_set_field_attributes, NFTA_LIST_ELEM
const DESC_CONCAT: u16 = 2;
const FIELD_LEN: u16 = 1;
const LIST_ELEM: u16 = 1;
// enum nft_set_flags
const INTERVAL: u32 = 0x4;
const MAP: u32 = 0x8;
const CONCAT: u32 = 0x80;
/// `NFT_DATA_VERDICT`.
const VERDICT: u32 = 0xffff_ff00;
/// Bits per field in the type number of a concatenation (`TYPE_BITS` of nft's `datatype.h`).
const TYPE_BITS: u32 = 6;

/// The type of a field, as `nft` numbers it (`enum datatypes`). The kernel only stores the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum DataType {
    /// 4 bytes.
    Ipv4Addr = 7,
    /// 16 bytes.
    Ipv6Addr = 8,
    /// 6 bytes.
    EtherAddr = 9,
    /// 1 byte.
    InetProto = 12,
    /// A port, 2 bytes.
    InetService = 13,
    /// An interface's name, 16 bytes.
    IfName = 41,
}

impl DataType {
    /// An address of the family.
    pub fn address(family: Family) -> Self {
        match family {
            Family::V4 => Self::Ipv4Addr,
            Family::V6 => Self::Ipv6Addr,
        }
    }

    fn bytes(self) -> u32 {
        match self {
            Self::Ipv4Addr => 4,
            Self::Ipv6Addr => 16,
            Self::EtherAddr => 6,
            Self::InetProto => 1,
            Self::InetService => 2,
            Self::IfName => 16,
        }
    }

    /// Number and length of a concatenation; in one each field is padded to 4 bytes.
    fn concatenation(fields: &[Self]) -> (u32, u32) {
        if let [one] = fields {
            return (*one as u32, one.bytes());
        }
        fields.iter().fold((0, 0), |(number, len), field| {
            (number << TYPE_BITS | *field as u32, len + field.bytes().next_multiple_of(4))
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
    /// Creates a set; one that is there stays as it is, but must be of the same type.
    pub fn ensure(self, id: u32, key: &[DataType], interval: bool) -> Request {
        self.create(id, key, interval, None)
    }

    /// Creates a map to verdicts.
    pub fn ensure_verdict_map(self, id: u32, key: &[DataType], interval: bool) -> Request {
        self.create(id, key, interval, Some((VERDICT, 16)))
    }

    /// Creates a map to values. `id` must be unique in the batch.
    pub fn ensure_map(self, id: u32, key: &[DataType], data: &[DataType], interval: bool) -> Request {
        self.create(id, key, interval, Some(DataType::concatenation(data)))
    }

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

    fn create(self, id: u32, key: &[DataType], interval: bool, data: Option<(u32, u32)>) -> Request {
        let mut flags = if interval { INTERVAL } else { 0 };
        if data.is_some() {
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
        if let Some((data_type, data_len)) = data {
            message.attrs.net32(DATA_TYPE, data_type);
            if data_type != VERDICT {
                message.attrs.net32(DATA_LEN, data_len);
            }
        }
        message.attrs.net32(ID, id);
        if ranges_of_fields {
            message.attrs.nest(DESC, |desc| {
                desc.nest(DESC_CONCAT, |fields| {
                    for field in key {
                        fields.nest(LIST_ELEM, |attrs| attrs.net32(FIELD_LEN, field.bytes()));
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
