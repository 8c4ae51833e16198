//! DHCP messages (RFC 2131, section 2): writing a client's, reading a server's.
//!
//! Written here and not taken from a crate: `dhcproto` brings seventy packages along (URLs, IDNA, Unicode tables) for
//! the sake of one option, and stops at the first option it cannot read; `edge-dhcp` puts the broadcast flag into the
//! wrong byte, and its companion for UDP panics on a short packet.

mod domain;
pub(crate) mod options;
pub(crate) mod reply;

use std::net::Ipv4Addr;

use cni_types::Mac;

pub(crate) use options::Options;
pub(crate) use reply::Reply;

/// `BOOTREQUEST`, `BOOTREPLY`
const REQUEST: u8 = 1;
const REPLY: u8 = 2;
/// Ethernet (RFC 1700), with addresses of 6 bytes.
const ETHERNET: u8 = 1;
const MAC_SIZE: u8 = 6;
/// The header, up to and with the magic cookie, in bytes.
const HEADER: usize = 240;
const COOKIE: [u8; 4] = [99, 130, 83, 99];
/// Where `sname` and `file` are: options may continue in them.
const SNAME: std::ops::Range<usize> = 44..108;
const FILE: std::ops::Range<usize> = 108..236;
/// The flag "answer by broadcast" in `flags`.
const BROADCAST: u16 = 0x8000;
/// What relays of BOOTP take at least (RFC 1542, section 2.1), in bytes.
const SIZE_MIN: usize = 300;

/// Option codes (RFC 2132; 119: RFC 3397, 121: RFC 3442).
pub(crate) mod code {
    pub(crate) const PAD: u8 = 0;
    pub(crate) const MASK: u8 = 1;
    pub(crate) const ROUTERS: u8 = 3;
    pub(crate) const DNS: u8 = 6;
    pub(crate) const HOST_NAME: u8 = 12;
    pub(crate) const DOMAIN: u8 = 15;
    pub(crate) const MTU: u8 = 26;
    pub(crate) const STATIC_ROUTES: u8 = 33;
    pub(crate) const REQUESTED_ADDRESS: u8 = 50;
    pub(crate) const LEASE_TIME: u8 = 51;
    pub(crate) const OVERLOAD: u8 = 52;
    pub(crate) const KIND: u8 = 53;
    pub(crate) const SERVER: u8 = 54;
    pub(crate) const WANTED: u8 = 55;
    pub(crate) const TEXT: u8 = 56;
    pub(crate) const SIZE_MAX: u8 = 57;
    pub(crate) const RENEW_TIME: u8 = 58;
    pub(crate) const REBIND_TIME: u8 = 59;
    pub(crate) const VENDOR_CLASS: u8 = 60;
    pub(crate) const CLIENT_ID: u8 = 61;
    pub(crate) const USER_CLASS: u8 = 77;
    pub(crate) const SEARCH: u8 = 119;
    pub(crate) const ROUTES: u8 = 121;
    pub(crate) const END: u8 = 255;
}

/// The message types that a client sends or takes (option 53).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Discover = 1,
    Offer = 2,
    Request = 3,
    Ack = 5,
    Nak = 6,
    Release = 7,
}

impl Kind {
    fn find(number: u8) -> Option<Self> {
        let all = [Self::Discover, Self::Offer, Self::Request, Self::Ack, Self::Nak, Self::Release];
        all.into_iter().find(|kind| *kind as u8 == number)
    }
}

/// A client's message.
#[derive(Debug)]
pub(crate) struct Query<'a> {
    pub(crate) kind: Kind,
    pub(crate) xid: u32,
    /// Seconds since the exchange began.
    pub(crate) secs: u16,
    /// Whether the answer must be a broadcast.
    pub(crate) broadcast: bool,
    /// The client's address, once it has one.
    pub(crate) ciaddr: Ipv4Addr,
    pub(crate) mac: Mac,
    /// Options other than the type; each has at most 255 bytes.
    pub(crate) options: Vec<(u8, &'a [u8])>,
}

impl Query<'_> {
    /// The UDP payload.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![REQUEST, ETHERNET, MAC_SIZE, 0];
        out.extend(self.xid.to_be_bytes());
        out.extend(self.secs.to_be_bytes());
        out.extend(if self.broadcast { BROADCAST } else { 0 }.to_be_bytes());
        out.extend(self.ciaddr.octets());
        out.resize(28, 0);
        out.extend(self.mac.0);
        out.resize(HEADER - COOKIE.len(), 0);
        out.extend(COOKIE);
        out.extend([code::KIND, 1, self.kind as u8]);
        for (code, value) in &self.options {
            let value = value.get(..255).unwrap_or(value);
            out.extend([*code, u8::try_from(value.len()).unwrap_or(u8::MAX)]);
            out.extend(value);
        }
        out.push(code::END);
        out.resize(out.len().max(SIZE_MIN), code::PAD);
        out
    }
}
