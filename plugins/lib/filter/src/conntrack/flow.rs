//! One tracked flow.

use std::net::{IpAddr, SocketAddr};

use cni_netlink::attr::{Attrs, array, byte, find, net16, net32};

// enum ctattr_type
const TUPLE_ORIG: u16 = 1;
const TUPLE_REPLY: u16 = 2;
const STATUS: u16 = 3;
const ID: u16 = 12;
const ZONE: u16 = 18;
const FILTER: u16 = 25;
// enum ctattr_filter
const FILTER_ORIG_FLAGS: u16 = 1;
// enum ctattr_tuple, ctattr_ip, ctattr_l4proto
const TUPLE_IP: u16 = 1;
const TUPLE_PROTO: u16 = 2;
const V4_SRC: u16 = 1;
const V6_SRC: u16 = 3;
const PROTO_NUM: u16 = 1;
const SRC_PORT: u16 = 2;
const DST_PORT: u16 = 3;
/// `CTA_FILTER_FLAG(CTA_PROTO_NUM)`, `CTA_FILTER_FLAG(CTA_PROTO_DST_PORT)` (`net/netfilter/nf_conntrack_netlink.c`).
pub(super) const FLAG_PROTO: u32 = 1 << 3;
pub(super) const FLAG_DPORT: u32 = 1 << 5;
/// `IPS_DST_NAT`.
const DST_NAT: u32 = 1 << 5;

/// A transport protocol whose entries outlive a mapping: nothing in the protocol ends the flow when its address moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Transport {
    /// UDP.
    Udp = 17,
    /// SCTP.
    Sctp = 132,
}

/// One direction of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Direction {
    /// Who sends.
    pub src: SocketAddr,
    /// Who is sent to.
    pub dst: SocketAddr,
}

/// A tracked flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// The transport protocol's number.
    pub protocol: u8,
    /// As the first packet came in.
    pub original: Direction,
    /// As answers come back: its source is where the flow really goes.
    pub reply: Direction,
    /// Whether the destination was translated (`IPS_DST_NAT`).
    pub is_translated: bool,
    id: Vec<u8>,
    zone: Option<Vec<u8>>,
}

impl Flow {
    /// Reads an entry; `None` for one without ports.
    pub(super) fn read(attrs: &[u8]) -> Option<Self> {
        let (protocol, original) = direction(find(attrs, TUPLE_ORIG)?)?;
        let (_, reply) = direction(find(attrs, TUPLE_REPLY)?)?;
        let status = find(attrs, STATUS).and_then(net32).unwrap_or(0);
        let zone = find(attrs, ZONE).map(<[u8]>::to_vec);
        let id = find(attrs, ID)?.to_vec();
        Some(Self { protocol, original, reply, is_translated: status & DST_NAT != 0, id, zone })
    }

    /// What a request to delete this very entry says.
    pub(super) fn selector(&self) -> Attrs {
        let mut attrs = Attrs::default();
        let Direction { src, dst } = self.original;
        attrs.nest(TUPLE_ORIG, |tuple| {
            tuple.nest(TUPLE_IP, |ip| match (src.ip(), dst.ip()) {
                (IpAddr::V4(src), IpAddr::V4(dst)) => {
                    ip.bytes(V4_SRC, &src.octets());
                    ip.bytes(V4_SRC + 1, &dst.octets());
                }
                (IpAddr::V6(src), IpAddr::V6(dst)) => {
                    ip.bytes(V6_SRC, &src.octets());
                    ip.bytes(V6_SRC + 1, &dst.octets());
                }
                _ => {}
            });
            tuple.nest(TUPLE_PROTO, |proto| {
                proto.byte(PROTO_NUM, self.protocol);
                proto.bytes(SRC_PORT, &src.port().to_be_bytes());
                proto.bytes(DST_PORT, &dst.port().to_be_bytes());
            });
        });
        if let Some(zone) = &self.zone {
            attrs.bytes(ZONE, zone);
        }
        attrs.bytes(ID, &self.id);
        attrs
    }
}

/// What a list of entries is limited to.
pub(super) fn filter(transport: Transport, port: Option<u16>, flags: u32) -> Attrs {
    let mut attrs = Attrs::default();
    attrs.nest(TUPLE_ORIG, |tuple| {
        tuple.nest(TUPLE_PROTO, |proto| {
            proto.byte(PROTO_NUM, transport as u8);
            if let Some(port) = port {
                proto.bytes(DST_PORT, &port.to_be_bytes());
            }
        });
    });
    attrs.nest(FILTER, |filter| filter.host32(FILTER_ORIG_FLAGS, flags));
    attrs
}

fn direction(tuple: &[u8]) -> Option<(u8, Direction)> {
    let (ip, proto) = (find(tuple, TUPLE_IP)?, find(tuple, TUPLE_PROTO)?);
    let address = |offset: u16| {
        let v4 = || find(ip, V4_SRC + offset).and_then(array::<4>).map(IpAddr::from);
        let v6 = || find(ip, V6_SRC + offset).and_then(array::<16>).map(IpAddr::from);
        v4().or_else(v6)
    };
    let port = |kind| find(proto, kind).and_then(net16);
    let direction = Direction {
        src: SocketAddr::new(address(0)?, port(SRC_PORT)?),
        dst: SocketAddr::new(address(1)?, port(DST_PORT)?),
    };
    Some((byte(find(proto, PROTO_NUM)?)?, direction))
}
