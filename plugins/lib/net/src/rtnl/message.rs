//! One rtnetlink request, with its purpose.

use cni_netlink::ACK;
use cni_netlink::attr::Attrs;

/// A request; `doing` completes "cannot …" in an error.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(super) doing: String,
    pub(super) kind: u16,
    pub(super) flags: u16,
    pub(super) body: Attrs,
}

impl Request {
    /// A request of type `kind` (`RTM_*`).
    pub(crate) fn new(doing: impl Into<String>, kind: u16, flags: u16, body: Attrs) -> Self {
        Self { doing: doing.into(), kind, flags, body }
    }

    /// What goes over the wire. The answer to a look-up is the object, to anything else an acknowledgement.
    pub(super) fn wire(&self) -> cni_netlink::Request<'_> {
        let is_lookup = self.kind & 3 == 2;
        let flags = if is_lookup { self.flags } else { self.flags | ACK };
        cni_netlink::Request { kind: self.kind, flags, body: self.body.as_bytes(), is_lookup }
    }

    /// Whether something goes: message types come in fours, and "delete" is the second, "get" the third
    /// (`linux/rtnetlink.h`).
    pub(crate) fn is_delete(&self) -> bool {
        self.kind & 3 == 1
    }
}

/// An answer's bytes behind the netlink header: the fixed header and the attributes, decoded only where asked for.
pub(crate) type Body = Vec<u8>;
