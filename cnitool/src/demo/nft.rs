//! What nftables holds, asked over netlink (`linux/netfilter/nf_tables.h`): an inventory of its own, so that the
//! plugins' code is not its own witness. No `nft` needed.

use cni_netlink::attr::{self, Attrs};
use cni_netlink::{Precision, Protocol, Request, Socket};
use cni_types::Result;

/// `NFNL_SUBSYS_NFTABLES`, the high byte of a message type.
const NFTABLES: u16 = 10;
const GETTABLE: u16 = NFTABLES << 8 | 1;
const DELTABLE: u16 = NFTABLES << 8 | 2;
const GETRULE: u16 = NFTABLES << 8 | 7;
const GETSET: u16 = NFTABLES << 8 | 10;
const GETSETELEM: u16 = NFTABLES << 8 | 13;
/// Size of `struct nfgenmsg`.
const NFGENMSG: usize = 4;
/// The first two attributes of a table (its name), a set and a list of elements (its table's name, its name).
const TABLE_NAME: u16 = 1;
const SET_NAME: u16 = 2;
/// `NFTA_SET_ELEM_LIST_ELEMENTS`
const ELEMENTS: u16 = 3;

/// A table, by family number and name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) family: u8,
    pub(super) name: String,
}

impl Table {
    /// `inet name`, as `nft` writes it.
    pub(super) fn text(&self) -> String {
        let family = match self.family {
            1 => "inet",
            2 => "ip",
            3 => "arp",
            5 => "netdev",
            7 => "bridge",
            10 => "ip6",
            _ => "?",
        };
        format!("{family} {}", self.name)
    }
}

/// Everything that was found. Rules and set elements stay as bytes: they are counted and searched, not read.
#[derive(Default)]
pub(super) struct Inventory {
    pub(super) tables: Vec<Table>,
    pub(super) rules: Vec<Vec<u8>>,
    pub(super) elements: Vec<Vec<u8>>,
}

/// Takes stock of this thread's network namespace. A kernel without nftables holds nothing.
///
/// # Errors
/// Code 101 when the kernel refuses to say.
pub(super) fn inventory() -> Result<Inventory> {
    let Ok(socket) = Socket::open(Protocol::Nftables) else { return Ok(Inventory::default()) };
    let mut found = Inventory::default();
    for message in list(&socket, GETTABLE, Attrs::behind(&[0; NFGENMSG]))? {
        found.tables.extend(name_at(&message, TABLE_NAME).map(|name| Table { family: message[0], name }));
    }
    found.rules = list(&socket, GETRULE, Attrs::behind(&[0; NFGENMSG]))?;
    for set in list(&socket, GETSET, Attrs::behind(&[0; NFGENMSG]))? {
        if let (Some(table), Some(name)) = (name_at(&set, TABLE_NAME), name_at(&set, SET_NAME)) {
            let mut which = Attrs::behind(&[set[0], 0, 0, 0]);
            which.text(TABLE_NAME, &table);
            which.text(SET_NAME, &name);
            for message in list(&socket, GETSETELEM, which)? {
                let list = attr::find(&message[NFGENMSG..], ELEMENTS).unwrap_or_default();
                found.elements.extend(attr::each(list).map(|(_, element)| element.to_vec()));
            }
        }
    }
    Ok(found)
}

/// Deletes a table with everything in it.
///
/// # Errors
/// Code 101 when the kernel refuses.
pub(super) fn delete(table: &Table) -> Result<()> {
    let mut which = Attrs::behind(&[table.family, 0, 0, 0]);
    which.text(TABLE_NAME, &table.name);
    let delete = Request::new(format!("delete table {}", table.text()), DELTABLE, 0, which);
    Ok(Socket::open(Protocol::Nftables)?.commit(NFTABLES, &[delete], None)?)
}

fn list(socket: &Socket, kind: u16, which: Attrs) -> Result<Vec<Vec<u8>>> {
    let request = Request::new("list what it holds", kind, 0, which);
    let whole = |message: &[u8]| (message.len() >= NFGENMSG).then(|| message.to_vec());
    match socket.list(&request, Precision::Exact, whole) {
        // No nf_tables in this kernel, or nothing of this kind.
        Err(refused) if refused.is_absent() || refused.is_not_found() => Ok(Vec::new()),
        found => Ok(found?),
    }
}

fn name_at(message: &[u8], kind: u16) -> Option<String> {
    attr::find(message.get(NFGENMSG..)?, kind).and_then(attr::text).map(str::to_owned)
}
