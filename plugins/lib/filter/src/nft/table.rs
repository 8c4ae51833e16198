//! Tables.

use super::message::{DELTABLE, NEWTABLE, TableFamily, request};
use cni_netlink::{CREATE, Request};
use cni_types::Family;

/// `NFTA_TABLE_NAME`.
const NAME: u16 = 1;

/// A table by its name, at most 255 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table<'a> {
    /// Which packets.
    pub family: TableFamily,
    /// The name.
    pub name: &'a str,
}

impl<'a> Table<'a> {
    /// A table of iptables-nft.
    pub fn iptables(family: Family, name: &'a str) -> Self {
        Self { family: family.into(), name }
    }
}

impl Table<'_> {
    /// Creates the table; one that is there stays as it is.
    pub(super) fn ensure(self) -> Request {
        let mut message = request(NEWTABLE, CREATE, self.family, format!("create table {self}"));
        message.attrs.text(NAME, self.name);
        message
    }

    /// Removes the table with all in it.
    pub fn remove(self) -> Request {
        let mut message = request(DELTABLE, 0, self.family, format!("delete table {self}"));
        message.attrs.text(NAME, self.name);
        message
    }
}

impl std::fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.family.name(), self.name)
    }
}
