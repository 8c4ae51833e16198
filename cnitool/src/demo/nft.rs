//! What nftables holds, asked over netlink (`linux/netfilter/nf_tables.h`): an inventory of its own, so that the plugins'
//! code is not its own witness. No `nft` needed.

use cni_netlink::attr::{self, Attrs};
use cni_netlink::{ACK, Answer, DUMP, Errno, Protocol, Socket, put_request};
use cni_types::{Code, Error, Result};

/// `NFNL_SUBSYS_NFTABLES`, shifted into a message type.
const NFTABLES: u16 = 10 << 8;
const GETTABLE: u16 = NFTABLES | 1;
const DELTABLE: u16 = NFTABLES | 2;
const GETRULE: u16 = NFTABLES | 7;
const GETSET: u16 = NFTABLES | 10;
const GETSETELEM: u16 = NFTABLES | 13;
/// `NFNL_MSG_BATCH_BEGIN`, `NFNL_MSG_BATCH_END` (`linux/netfilter/nfnetlink.h`)
const BATCH_BEGIN: u16 = 16;
const BATCH_END: u16 = 17;
/// `struct nfgenmsg` of a batch: `res_id` names the subsystem, in network byte order.
const BATCH: [u8; NFGENMSG] = [0, 0, 0, 10];
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
    let Ok(socket) = Socket::open(Protocol::Netfilter) else { return Ok(Inventory::default()) };
    let mut found = Inventory::default();
    for message in dump(&socket, GETTABLE, &[0; NFGENMSG])? {
        found.tables.extend(name_at(&message, TABLE_NAME).map(|name| Table { family: message[0], name }));
    }
    found.rules = dump(&socket, GETRULE, &[0; NFGENMSG])?;
    for set in dump(&socket, GETSET, &[0; NFGENMSG])? {
        if let (Some(table), Some(name)) = (name_at(&set, TABLE_NAME), name_at(&set, SET_NAME)) {
            let mut which = Attrs::behind(&[set[0], 0, 0, 0]);
            which.text(TABLE_NAME, &table);
            which.text(SET_NAME, &name);
            for message in dump(&socket, GETSETELEM, which.as_bytes())? {
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
    let mut batch = Vec::new();
    put_request(&mut batch, BATCH_BEGIN, 0, 1, &BATCH);
    put_request(&mut batch, DELTABLE, ACK, 2, which.as_bytes());
    put_request(&mut batch, BATCH_END, 0, 3, &BATCH);
    let exchange = || {
        let socket = Socket::open(Protocol::Netfilter)?;
        socket.send(&batch)?;
        receive(&socket, &mut Vec::new()).map(drop)
    };
    exchange().map_err(|e: Errno| {
        Error::new(Code::FILTER, format!("cannot delete nftables table {}", table.text())).because(e)
    })
}

fn dump(socket: &Socket, kind: u16, body: &[u8]) -> Result<Vec<Vec<u8>>> {
    let mut request = Vec::new();
    put_request(&mut request, kind, DUMP, 1, body);
    let mut found = Vec::new();
    let mut exchange = || {
        socket.send(&request)?;
        while !receive(socket, &mut found)? {}
        Ok(())
    };
    match exchange() {
        Ok(()) => Ok(found),
        // No nf_tables in this kernel, or nothing of this kind.
        Err(Errno::EINVAL | Errno::ENOENT | Errno::EOPNOTSUPP) => Ok(Vec::new()),
        Err(e) => Err(Error::new(Code::FILTER, "cannot list what nftables holds").because(e)),
    }
}

/// One datagram: the objects in it are added to `found`; true when it ends the answer.
fn receive(socket: &Socket, found: &mut Vec<Vec<u8>>) -> nix::Result<bool> {
    let mut end = None;
    socket.receive(&mut |answer| match answer {
        Answer::Object { body, .. } if body.len() >= NFGENMSG => found.push(body.to_vec()),
        Answer::Object { .. } => {}
        Answer::Done { errno, .. } => end = Some(errno),
    })?;
    match end {
        Some(Some(errno)) => Err(errno),
        ended => Ok(ended.is_some()),
    }
}

fn name_at(message: &[u8], kind: u16) -> Option<String> {
    attr::find(message.get(NFGENMSG..)?, kind).and_then(attr::text).map(str::to_owned)
}
