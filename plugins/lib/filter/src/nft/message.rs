//! One netlink message: its type, `struct nfgenmsg`, attributes.

use cni_netlink::Request;
use cni_netlink::attr::Attrs;
use cni_types::Family;

/// `NFNL_SUBSYS_NFTABLES`, the high byte of a message's type.
pub(super) const SUBSYSTEM: u16 = 10;

// enum nf_tables_msg_types
pub(super) const NEWTABLE: u16 = 0;
pub(super) const DELTABLE: u16 = 2;
pub(super) const NEWCHAIN: u16 = 3;
pub(super) const GETCHAIN: u16 = 4;
pub(super) const DELCHAIN: u16 = 5;
pub(super) const NEWRULE: u16 = 6;
pub(super) const GETRULE: u16 = 7;
pub(super) const DELRULE: u16 = 8;
pub(super) const NEWSET: u16 = 9;
pub(super) const GETSET: u16 = 10;
pub(super) const DELSET: u16 = 11;
pub(super) const NEWSETELEM: u16 = 12;
pub(super) const GETSETELEM: u16 = 13;
pub(super) const DELSETELEM: u16 = 14;
pub(super) const GETGEN: u16 = 16;

/// Bytes of `struct nfgenmsg`.
const GENMSG: usize = 4;

/// The packets a table sees (`NFPROTO_*`, `linux/netfilter.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum TableFamily {
    /// IPv4 and IPv6.
    Inet = 1,
    /// IPv4 alone.
    Ipv4 = 2,
    /// Frames that pass a bridge.
    Bridge = 7,
    /// IPv6 alone.
    Ipv6 = 10,
}

impl TableFamily {
    /// By its number.
    pub(super) fn find(number: u8) -> Option<Self> {
        let all = [Self::Inet, Self::Ipv4, Self::Bridge, Self::Ipv6];
        all.into_iter().find(|family| *family as u8 == number)
    }

    /// The family's name in `nft`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Inet => "inet",
            Self::Ipv4 => "ip",
            Self::Bridge => "bridge",
            Self::Ipv6 => "ip6",
        }
    }
}

impl From<Family> for TableFamily {
    fn from(family: Family) -> Self {
        match family {
            Family::V4 => Self::Ipv4,
            Family::V6 => Self::Ipv6,
        }
    }
}

/// A look-up, or a step of a batch; `act` says what it does, such as "create table inet x".
pub(super) fn request(kind: u16, flags: u16, family: TableFamily, act: String) -> Request {
    Request::new(act, SUBSYSTEM << 8 | kind, flags, Attrs::behind(&[family as u8, 0, 0, 0]))
}

/// The attributes of a message, behind its `struct nfgenmsg`.
pub(super) fn attrs(message: &[u8]) -> &[u8] {
    message.get(GENMSG..).unwrap_or_default()
}
