//! A server's message.

#[cfg(test)]
mod tests;

use std::fmt;
use std::net::Ipv4Addr;

use cni_types::Mac;

use super::{COOKIE, ETHERNET, HEADER, Kind, MAC_SIZE, Options, REPLY, code};

/// An OFFER, ACK or NAK to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) kind: Kind,
    pub(crate) xid: u32,
    /// Whom it is for (`chaddr`).
    pub(crate) mac: Mac,
    /// The address given (`yiaddr`).
    pub(crate) address: Ipv4Addr,
    /// Option 54. There is none in a NAK of some servers.
    pub(crate) server: Option<Ipv4Addr>,
    pub(crate) options: Options,
    /// Where the frame came from: the server, or the router before it.
    pub(crate) from: Option<Mac>,
}

/// Why a packet is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ignored {
    /// It is no UDP packet, or is shorter than it says.
    Truncated,
    /// It is larger than the largest there can be.
    Oversized,
    /// It is no answer of DHCP over Ethernet.
    NotDhcp,
    /// An option reaches beyond the end.
    Options,
    /// It has no message type, or a client's.
    Kind,
    /// It is for somebody else, or of an earlier exchange.
    NotOurs,
    /// It is of a server that was not asked.
    Server,
    /// It gives an address no host can have, or no mask.
    Address,
    /// It gives another address than was asked for.
    OtherAddress,
    /// It gives the address for no time.
    LeaseTime,
    /// It is no answer to what was asked.
    Unexpected,
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "it is truncated",
            Self::Oversized => "it is oversized",
            Self::NotDhcp => "it is no DHCP answer",
            Self::Options => "an option reaches beyond its end",
            Self::Kind => "it has no message type of a server",
            Self::NotOurs => "it belongs to another exchange",
            Self::Server => "it is not of the server that was asked",
            Self::Address => "it has no usable address and mask",
            Self::OtherAddress => "it gives another address than was asked for",
            Self::LeaseTime => "it gives the address for no time",
            Self::Unexpected => "it does not answer what was asked",
        })
    }
}

impl Reply {
    /// Reads a UDP payload.
    ///
    /// # Errors
    /// Why it is none.
    pub(crate) fn decode(message: &[u8]) -> Result<Self, Ignored> {
        let header = message.first_chunk::<HEADER>().ok_or(Ignored::Truncated)?;
        let [op, htype, hlen, ..] = *header;
        if (op, htype, hlen) != (REPLY, ETHERNET, MAC_SIZE) || header[HEADER - COOKIE.len()..] != COOKIE {
            return Err(Ignored::NotDhcp);
        }
        let options = Options::read(message).ok_or(Ignored::Options)?;
        let kind = options.byte(code::KIND).and_then(Kind::find).ok_or(Ignored::Kind)?;
        if !matches!(kind, Kind::Offer | Kind::Ack | Kind::Nak) {
            return Err(Ignored::Kind);
        }
        let server = options.address(code::SERVER);
        if server.is_none() && options.raw(code::SERVER).is_some() {
            return Err(Ignored::Options);
        }
        let [xid, address] = [4, 16].map(|at| [0, 1, 2, 3].map(|i| header[at + i]));
        let mac = Mac([0, 1, 2, 3, 4, 5].map(|i| header[28 + i]));
        let (xid, address) = (u32::from_be_bytes(xid), address.into());
        Ok(Self { kind, xid, mac, address, server, options, from: None })
    }
}
