//! What nftables holds, asked over netlink (`linux/netfilter/nf_tables.h`): an inventory of its own, so that the plugins'
//! code is not its own witness. No `nft` needed.

use std::os::fd::{AsRawFd, OwnedFd};

use cni_types::{Code, Error, Result};
use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket};

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
/// `NLM_F_REQUEST`, `NLM_F_ACK`, `NLM_F_DUMP`; `NLMSG_ERROR`, `NLMSG_DONE` (`linux/netlink.h`)
const REQUEST: u16 = 1;
const ACK: u16 = 4;
const DUMP: u16 = 0x300;
const ERROR: u16 = 2;
const DONE: u16 = 3;
/// Sizes of `struct nlmsghdr` and `struct nfgenmsg`.
const NLMSGHDR: usize = 16;
const NFGENMSG: usize = 4;

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
    let protocol = SockProtocol::NetlinkNetFilter;
    let Ok(socket) = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, protocol) else {
        return Ok(Inventory::default());
    };
    let mut found = Inventory::default();
    for message in dump(&socket, GETTABLE, 0, &[])? {
        found.tables.extend(name_at(&message, 1).map(|name| Table { family: message[0], name }));
    }
    found.rules = dump(&socket, GETRULE, 0, &[])?;
    for set in dump(&socket, GETSET, 0, &[])? {
        if let (Some(table), Some(name)) = (name_at(&set, 1), name_at(&set, 2)) {
            let mut which = attribute(1, table.as_bytes());
            which.extend(attribute(2, name.as_bytes()));
            for message in dump(&socket, GETSETELEM, set[0], &which)? {
                let list = find(&message[NFGENMSG..], 3).unwrap_or_default();
                found.elements.extend(attributes(list).map(|(_, element)| element.to_vec()));
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
    let failed =
        |e: Errno| Error::new(Code::FILTER, format!("cannot delete table {}", table.text())).because(e);
    let protocol = SockProtocol::NetlinkNetFilter;
    let socket =
        socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, protocol).map_err(failed)?;
    // `nfgenmsg.res_id` of a batch names the subsystem, in network byte order.
    let mut batch = message(BATCH_BEGIN, REQUEST, [0, 0, 0, 10], &[]);
    let which = attribute(1, table.name.as_bytes());
    batch.extend(message(DELTABLE, REQUEST | ACK, [table.family, 0, 0, 0], &which));
    batch.extend(message(BATCH_END, REQUEST, [0, 0, 0, 10], &[]));
    send(socket.as_raw_fd(), &batch, MsgFlags::empty()).map_err(failed)?;
    receive(&socket, &mut Vec::new()).map_err(failed).map(drop)
}

fn dump(socket: &OwnedFd, kind: u16, family: u8, which: &[u8]) -> Result<Vec<Vec<u8>>> {
    let failed = |e: Errno| Error::new(Code::FILTER, "cannot list what nftables holds").because(e);
    let request = message(kind, REQUEST | DUMP, [family, 0, 0, 0], which);
    send(socket.as_raw_fd(), &request, MsgFlags::empty()).map_err(failed)?;
    let mut found = Vec::new();
    loop {
        match receive(socket, &mut found) {
            Ok(true) => return Ok(found),
            Ok(false) => {}
            // No nf_tables in this kernel, or nothing of this kind.
            Err(Errno::EINVAL | Errno::ENOENT | Errno::EOPNOTSUPP) => return Ok(Vec::new()),
            Err(e) => return Err(failed(e)),
        }
    }
}

/// One datagram: its payloads are added to `found`; true when it ends the answer.
fn receive(socket: &OwnedFd, found: &mut Vec<Vec<u8>>) -> nix::Result<bool> {
    let mut buffer = vec![0; 1 << 17];
    let length = loop {
        match recv(socket.as_raw_fd(), &mut buffer, MsgFlags::empty()) {
            Err(Errno::EINTR) => {}
            other => break other?,
        }
    };
    let mut rest = &buffer[..length];
    while let Some((header, _)) = rest.split_at_checked(NLMSGHDR) {
        let size = u32_at(header, 0).clamp(NLMSGHDR, rest.len());
        let payload = &rest[NLMSGHDR..size];
        match u16::from_ne_bytes([header[4], header[5]]) {
            DONE => return Ok(true),
            ERROR => {
                let errno = payload.first_chunk::<4>().map_or(0, |code| i32::from_ne_bytes(*code));
                return if errno == 0 { Ok(true) } else { Err(Errno::from_raw(-errno)) };
            }
            _ if payload.len() >= NFGENMSG => found.push(payload.to_vec()),
            _ => {}
        }
        rest = &rest[size.next_multiple_of(4).min(rest.len())..];
    }
    Ok(false)
}

fn message(kind: u16, flags: u16, nfgenmsg: [u8; NFGENMSG], attributes: &[u8]) -> Vec<u8> {
    let size = u32::try_from(NLMSGHDR + NFGENMSG + attributes.len()).unwrap_or(0);
    let mut out = size.to_ne_bytes().to_vec();
    out.extend(kind.to_ne_bytes());
    out.extend(flags.to_ne_bytes());
    // Sequence and port: one request at a time needs neither.
    out.extend([0; 8]);
    out.extend(nfgenmsg);
    out.extend(attributes);
    out
}

/// A string attribute (`struct nlattr`, NUL-terminated value, padded).
fn attribute(kind: u16, text: &[u8]) -> Vec<u8> {
    let size = u16::try_from(4 + text.len() + 1).unwrap_or(0);
    let mut out = size.to_ne_bytes().to_vec();
    out.extend(kind.to_ne_bytes());
    out.extend(text);
    out.push(0);
    out.resize(out.len().next_multiple_of(4), 0);
    out
}

fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let header = bytes.first_chunk::<4>()?;
        let size = usize::from(u16::from_ne_bytes([header[0], header[1]]));
        // The two upper bits are flags (`NLA_F_NESTED`, `NLA_F_NET_BYTEORDER`).
        let kind = u16::from_ne_bytes([header[2], header[3]]) & 0x3fff;
        let value = bytes.get(4..size)?;
        bytes = bytes.get(size.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    })
}

fn find(bytes: &[u8], kind: u16) -> Option<&[u8]> {
    attributes(bytes).find(|(k, _)| *k == kind).map(|(_, value)| value)
}

fn name_at(message: &[u8], kind: u16) -> Option<String> {
    let value = find(message.get(NFGENMSG..)?, kind)?;
    Some(String::from_utf8_lossy(value).trim_end_matches('\0').to_owned())
}

fn u32_at(bytes: &[u8], at: usize) -> usize {
    let value = bytes.get(at..).and_then(<[u8]>::first_chunk::<4>).map_or(0, |v| u32::from_ne_bytes(*v));
    usize::try_from(value).unwrap_or(usize::MAX)
}
