//! Connection tracking over ctnetlink (`linux/netfilter/nfnetlink_conntrack.h`): finding and deleting the entries of
//! flows without connections (UDP), and of SCTP. A tracked flow keeps its translation for as long as packets come, so
//! a mapping that appears, moves or goes has to take the entries it affects along.
//!
//! Host state: none is made; entries are deleted. Everything happens in the calling thread's network namespace.

mod entry;

use cni_netlink::{ACK, Answer, DUMP, Errno, Protocol as Wire, Socket, put_request};
use cni_types::{Code, Error, Family, Result};

pub use entry::{Direction, Entry};
use entry::{FLAG_DPORT, FLAG_PROTO, filter};

/// `NFNL_SUBSYS_CTNETLINK`, the high byte of a message's type.
const SUBSYSTEM: u16 = 1;
// enum cntl_msg_types
const GET: u16 = 1;
const DELETE: u16 = 2;
/// Bytes of `struct nfgenmsg`.
const GENMSG: usize = 4;

/// A transport protocol whose entries outlive a mapping: nothing in the protocol ends the flow when its address moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Transport {
    /// UDP.
    Udp = 17,
    /// SCTP.
    Sctp = 132,
}

/// A socket to the connection tracking of one network namespace.
pub struct Conntrack {
    wire: Socket,
}

impl Conntrack {
    /// Opens a socket in the calling thread's network namespace.
    ///
    /// # Errors
    /// Code 101 when the kernel has no netfilter netlink.
    pub fn open() -> Result<Self> {
        let failed =
            |e| Error::new(Code::FILTER, "cannot open a netlink socket for connection tracking").because(e);
        Ok(Self { wire: Socket::open(Wire::Netfilter).map_err(failed)? })
    }

    /// Deletes the entries of a family for which `is_stale` holds. With a `port`, only those of packets sent to it are
    /// looked at, which spares the kernel the listing of all others. Returns how many.
    ///
    /// # Errors
    /// Code 101 when the kernel refuses; none where connection tracking is not there.
    pub fn flush(
        &self,
        family: Family,
        transport: Transport,
        port: Option<u16>,
        is_stale: &dyn Fn(&Entry) -> bool,
    ) -> Result<usize> {
        let found = self.list(family, transport, port)?;
        self.delete_all(found.iter().filter(|entry| is_stale(entry)))
    }

    /// The entries of a family and protocol; those of one original destination port, if `port` is given. Kernels
    /// before 5.8 do not filter, so it is done here again.
    fn list(&self, family: Family, transport: Transport, port: Option<u16>) -> Result<Vec<Entry>> {
        let flags = FLAG_PROTO | if port.is_some() { FLAG_DPORT } else { 0 };
        let mut found = Vec::new();
        let ended =
            self.exchange(GET, DUMP, family, filter(transport, port, flags).as_bytes(), &mut |attrs| {
                found.extend(Entry::read(attrs).filter(|entry| entry.protocol == transport as u8));
            });
        match ended {
            // Neither compiled in nor loaded: nothing is tracked.
            Err(Errno::EINVAL | Errno::EOPNOTSUPP | Errno::EPROTONOSUPPORT) | Ok(()) => Ok(found),
            Err(errno) => Err(refused("list", errno)),
        }
    }

    fn delete_all<'a>(&self, entries: impl Iterator<Item = &'a Entry>) -> Result<usize> {
        let mut count = 0;
        for entry in entries {
            // Without a tuple the kernel would delete every entry there is: `selector` always has one.
            match self.exchange(
                DELETE,
                ACK,
                Family::of(entry.original.src.ip()),
                entry.selector().as_bytes(),
                &mut |_| {},
            ) {
                Ok(()) => count += 1,
                Err(Errno::ENOENT) => {}
                Err(errno) => return Err(refused("delete", errno)),
            }
        }
        Ok(count)
    }

    fn exchange(
        &self,
        kind: u16,
        flags: u16,
        family: Family,
        attrs: &[u8],
        each: &mut dyn FnMut(&[u8]),
    ) -> nix::Result<()> {
        let genmsg = [family.number(), 0, 0, 0];
        let mut out = Vec::with_capacity(128);
        put_request(&mut out, SUBSYSTEM << 8 | kind, flags, 1, &[&genmsg[..], attrs].concat());
        self.wire.send(&out)?;
        let mut end = None;
        while end.is_none() {
            self.wire.receive(&mut |answer| match answer {
                Answer::Object { body, .. } => each(body.get(GENMSG..).unwrap_or_default()),
                Answer::Done { errno, .. } => end = Some(errno),
            })?;
        }
        end.flatten().map_or(Ok(()), Err)
    }
}

fn refused(verb: &str, errno: Errno) -> Error {
    let need = if errno == Errno::EPERM { "; this needs CAP_NET_ADMIN in the network namespace" } else { "" };
    Error::new(Code::FILTER, format!("cannot {verb} connection tracking entries"))
        .because(format!("{errno}{need}"))
}
