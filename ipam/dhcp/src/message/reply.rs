//! A server's message.

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::message::Query;

    /// A server's message with these options, as a server would send it.
    fn message(options: &[u8]) -> Vec<u8> {
        let mac = Mac([2, 0, 0, 0, 0, 1]);
        let query = Query {
            kind: Kind::Offer,
            xid: 0x0102_0304,
            secs: 0,
            broadcast: false,
            ciaddr: Ipv4Addr::UNSPECIFIED,
            mac,
            options: Vec::new(),
        };
        let mut message = query.encode();
        message[0] = REPLY;
        message[16..20].copy_from_slice(&[10, 0, 0, 7]);
        message.truncate(HEADER);
        message.extend_from_slice(options);
        message
    }

    #[test]
    fn an_offer_is_read() {
        let reply =
            Reply::decode(&message(&[53, 1, 2, 0, 0, 54, 4, 10, 0, 0, 1, 1, 4, 255, 255, 255, 0, 255]));
        let reply = reply.unwrap();
        assert_eq!((reply.kind, reply.xid), (Kind::Offer, 0x0102_0304));
        assert_eq!(reply.address, Ipv4Addr::new(10, 0, 0, 7));
        assert_eq!(reply.server, Some(Ipv4Addr::new(10, 0, 0, 1)));
        assert_eq!(reply.options.prefix(), Some(24));
    }

    #[test]
    fn parts_of_an_option_are_put_together_also_from_the_other_fields() {
        let mut bytes = message(&[53, 1, 5, 52, 1, 3, 15, 3, b'a', b'b', b'.', 255]);
        bytes[108..112].copy_from_slice(&[15, 1, b'c', 255]);
        bytes[44..48].copy_from_slice(&[15, 1, b'd', 255]);
        assert_eq!(Reply::decode(&bytes).unwrap().options.domain().as_deref(), Some("ab.cd"));
    }

    #[test]
    fn hostile_messages_are_refused_with_their_reason() {
        for (options, why) in [
            (&[53, 1][..], Ignored::Options),
            (&[53], Ignored::Options),
            (&[53, 1, 2, 1, 200, 0], Ignored::Options),
            (&[53, 1, 2, 54, 3, 1, 2, 3], Ignored::Options),
            (&[53, 1, 2, 54, 4, 1, 2, 3, 4, 54, 4, 5, 6, 7, 8], Ignored::Options),
            (&[255, 53, 1, 2], Ignored::Kind),
            (&[53, 2, 2, 2], Ignored::Kind),
            (&[53, 1, 2, 53, 1, 5], Ignored::Kind),
            (&[53, 1, 1], Ignored::Kind),
            (&[53, 1, 99], Ignored::Kind),
            (&[], Ignored::Kind),
        ] {
            assert_eq!(Reply::decode(&message(options)), Err(why), "{options:?}");
        }
        let good = message(&[53, 1, 2, 255]);
        assert_eq!(Reply::decode(&good[..239]), Err(Ignored::Truncated));
        for (at, byte) in [(0, 1), (1, 6), (2, 255), (236, 0)] {
            let mut bad = good.clone();
            bad[at] = byte;
            assert_eq!(Reply::decode(&bad), Err(Ignored::NotDhcp), "byte {at}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(options in proptest::collection::vec(any::<u8>(), 0..600), names in any::<[u8; 192]>()) {
            let mut bytes = message(&[53, 1, 2, 52, 1, 3]);
            bytes.extend(options);
            bytes[44..236].copy_from_slice(&names);
            if let Ok(reply) = Reply::decode(&bytes) {
                let options = reply.options;
                let _ = (options.prefix(), options.mtu(), options.static_routes(), options.classless_routes());
                let _ = (options.domain(), options.search(), options.text(), options.addresses(code::DNS));
            }
        }
    }
}
