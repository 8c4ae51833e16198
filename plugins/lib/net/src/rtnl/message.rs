//! What travels: a request with its purpose, a reply with its bytes undecoded. Decoding only what is asked for keeps
//! the executables small; `netlink-packet-route` would bring every attribute of every message along.

use std::convert::Infallible;

use rtnetlink::packet_core::{NetlinkDeserializable, NetlinkHeader, NetlinkSerializable};

use super::attr::Body;

/// `NLM_F_REQUEST`, `NLM_F_ACK`: on every request.
const NLM_F_REQUEST_ACK: u16 = 0x01 | 0x04;
/// `NLM_F_CREATE`
pub(crate) const CREATE: u16 = 0x400;
/// `NLM_F_EXCL`
pub(crate) const EXCL: u16 = 0x200;
/// `NLM_F_REPLACE`
pub(crate) const REPLACE: u16 = 0x100;
/// `NLM_F_DUMP`
pub(crate) const DUMP: u16 = 0x300;

/// One rtnetlink request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(super) doing: String,
    pub(super) flags: u16,
    pub(super) message: Message,
}

impl Request {
    /// A request of type `kind` (`RTM_*`); `doing` completes "cannot …" in an error.
    pub(crate) fn new(doing: impl Into<String>, kind: u16, flags: u16, body: Body) -> Self {
        Self {
            doing: doing.into(),
            flags: flags | NLM_F_REQUEST_ACK,
            message: Message { kind, bytes: body.into_bytes() },
        }
    }
}

/// A message as bytes after the netlink header.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) kind: u16,
    pub(crate) bytes: Vec<u8>,
}

impl NetlinkSerializable for Message {
    fn message_type(&self) -> u16 {
        self.kind
    }

    fn buffer_len(&self) -> usize {
        self.bytes.len()
    }

    fn serialize(&self, buffer: &mut [u8]) {
        buffer.copy_from_slice(&self.bytes);
    }
}

impl NetlinkDeserializable for Message {
    type Error = Infallible;

    fn deserialize(header: &NetlinkHeader, payload: &[u8]) -> Result<Self, Infallible> {
        Ok(Self { kind: header.message_type, bytes: payload.to_vec() })
    }
}
