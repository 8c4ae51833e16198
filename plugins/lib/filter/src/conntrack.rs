//! Connection tracking over ctnetlink (`linux/netfilter/nfnetlink_conntrack.h`): finding and deleting the entries of
//! flows without connections (UDP), and of SCTP. A tracked flow keeps its translation for as long as packets come, so
//! a mapping that appears, moves or goes has to take the entries it affects along.
//!
//! Host state: none is made; entries are deleted. Everything happens in the calling thread's network namespace.

mod flow;

use cni_netlink::attr::Attrs;
use cni_netlink::{Errno, Precision, Protocol, Request, Socket};
use cni_types::{Family, Result};

pub use flow::{Direction, Flow, Transport};
use flow::{FLAG_DPORT, FLAG_PROTO, filter};

/// `NFNL_SUBSYS_CTNETLINK`, the high byte of a message's type.
const SUBSYSTEM: u16 = 1;
// enum cntl_msg_types
const GET: u16 = 1;
const DELETE: u16 = 2;
/// Bytes of `struct nfgenmsg`.
const GENMSG: usize = 4;

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
        Ok(Self { wire: Socket::open(Protocol::Conntrack)? })
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
        is_stale: &dyn Fn(&Flow) -> bool,
    ) -> Result<usize> {
        // Kernels before 5.8 do not filter, so it is done here again.
        let is_asked_for = |flow: &Flow| flow.protocol == transport as u8 && is_stale(flow);
        let flags = FLAG_PROTO | if port.is_some() { FLAG_DPORT } else { 0 };
        let list = request("list", GET, family, &filter(transport, port, flags));
        let stale = self
            .wire
            .list(&list, Precision::Rough, |message| Flow::read(message.get(GENMSG..)?).filter(is_asked_for));
        match stale {
            // Neither compiled in nor loaded: nothing is tracked.
            Err(refused) if refused.is_absent() => Ok(0),
            stale => self.delete_all(&stale?),
        }
    }

    fn delete_all(&self, entries: &[Flow]) -> Result<usize> {
        // Without a tuple the kernel would delete every entry there is: `selector` always has one.
        let delete =
            |flow: &Flow| request("delete", DELETE, Family::of(flow.original.src.ip()), &flow.selector());
        let mut count = 0;
        for answer in self.wire.ask(&entries.iter().map(delete).collect::<Vec<_>>()) {
            match answer {
                Ok(_) => count += 1,
                Err(refused) if refused.errno == Errno::ENOENT => {}
                Err(refused) => return Err(refused.into()),
            }
        }
        Ok(count)
    }
}

fn request(verb: &str, kind: u16, family: Family, attrs: &Attrs) -> Request {
    // struct nfgenmsg
    let mut body = Attrs::behind(&[family.number(), 0, 0, 0]);
    body.append(attrs);
    Request::new(format!("{verb} connection tracking entries"), SUBSYSTEM << 8 | kind, 0, body)
}
