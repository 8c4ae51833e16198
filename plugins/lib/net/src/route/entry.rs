//! Routes as the kernel lists them: read as far as somebody asks, and kept whole, so that a route moves to another
//! table and back with everything that is in it.

use std::net::IpAddr;

use cni_netlink::attr::{Attrs, each, find, host32};
use cni_netlink::{APPEND, CREATE, Precision, Request};
use cni_types::{Cidr, Family, Result, ip_from_octets};

use super::Route;
use super::abi::{HEADER, RTAX_ADVMSS, RTAX_MTU, TABLE_MAIN, TYPE_UNICAST};
use super::hop::{self, NextHop, ONLINK};

use crate::rtnl::Rtnl;

/// `RTPROT_KERNEL` (`linux/rtnetlink.h`): what the kernel makes along with an address.
const PROTO_KERNEL: u8 = 2;

/// A route as the kernel has it, of any type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteEntry {
    /// The destination.
    pub dst: Cidr,
    /// The source address the kernel picks for it.
    pub source: Option<IpAddr>,
    /// Where packets go: several hops share the load (ECMP); a route of a type that drops them has none.
    pub hops: Vec<NextHop>,
    /// The scope; every IPv6 route's is global.
    pub scope: u8,
    /// The table.
    pub table: u32,
    /// The metric.
    pub priority: u32,
    /// Path MTU in bytes; 0 is unset.
    pub mtu: u32,
    /// TCP MSS in bytes; 0 is unset.
    pub advmss: u32,
    /// Whether the kernel made it along with an address.
    pub is_the_kernels: bool,
    /// Whether packets are forwarded by it, not delivered here or dropped.
    pub is_unicast: bool,
    message: Vec<u8>,
}

impl RouteEntry {
    pub(super) fn decode(message: &[u8]) -> Option<Self> {
        let header = message.get(..HEADER)?;
        let none = Family::find(header[0])?.unspecified();
        let attributes = &message[HEADER..];
        let ip = |kind| find(attributes, kind).and_then(ip_from_octets);
        let number = |kind| find(attributes, kind).and_then(host32);
        let dst = find(attributes, libc::RTA_DST).map_or(Some(none), ip_from_octets)?;
        let hops = match (find(attributes, libc::RTA_MULTIPATH), number(libc::RTA_OIF)) {
            (Some(hops), _) => hop::each(hops).map(|(hop, ..)| hop).collect(),
            (None, Some(index)) => vec![NextHop::decode(index, attributes)],
            (None, None) => Vec::new(),
        };
        let metrics = find(attributes, libc::RTA_METRICS).unwrap_or_default();
        let metric = |kind| find(metrics, kind).and_then(host32).unwrap_or(0);
        Some(Self {
            dst: Cidr::new(dst, header[1])?,
            source: ip(libc::RTA_PREFSRC),
            hops,
            scope: header[6],
            table: number(libc::RTA_TABLE).unwrap_or_else(|| u32::from(header[4])),
            priority: number(libc::RTA_PRIORITY).unwrap_or(0),
            mtu: metric(RTAX_MTU),
            advmss: metric(RTAX_ADVMSS),
            is_the_kernels: header[5] == PROTO_KERNEL,
            is_unicast: header[7] == TYPE_UNICAST,
            message: message.to_vec(),
        })
    }

    /// Whether every way it goes is through this link.
    pub fn is_only_through(&self, index: u32) -> bool {
        !self.hops.is_empty() && self.hops.iter().all(|hop| hop.index == index)
    }

    /// Its gateways.
    pub fn gateways(&self) -> impl Iterator<Item = IpAddr> {
        self.hops.iter().filter_map(|hop| hop.gateway)
    }

    /// Whether it goes through a gateway, which another route has to lead to.
    pub fn has_gateway(&self) -> bool {
        self.gateways().next().is_some()
    }

    /// The same route in another table.
    #[must_use]
    pub fn in_table(&self, table: u32) -> Self {
        Self { table, ..self.clone() }
    }

    fn text(&self) -> String {
        let via: String = self.gateways().map(|gw| format!(" via {gw}")).collect();
        let table =
            if self.table == TABLE_MAIN { String::new() } else { format!(" in table {}", self.table) };
        format!("route {}{via}{table}", self.dst)
    }

    /// The listed message as a request: in its table, without what only the kernel says.
    fn body(&self) -> Attrs {
        let mut header = [0; HEADER];
        header[..8].copy_from_slice(&self.message[..8]);
        header[4] = u8::try_from(self.table).unwrap_or(0);
        let onlink = host32(&self.message[8..HEADER]).unwrap_or(0) & u32::from(ONLINK);
        header[8..].copy_from_slice(&onlink.to_ne_bytes());
        let mut body = Attrs::behind(&header);
        for (kind, value) in each(&self.message[HEADER..]) {
            match kind {
                libc::RTA_TABLE | libc::RTA_CACHEINFO => {}
                libc::RTA_MULTIPATH => body.bytes(kind, &hop::as_asked_for(value)),
                _ => body.bytes(kind, value),
            }
        }
        body.host32(libc::RTA_TABLE, self.table);
        body
    }

    /// The request to add it behind those with the same destination and metric. An exact duplicate is refused (EEXIST).
    pub(crate) fn add(&self) -> Request {
        let doing = format!("add {}", self.text());
        Request::new(doing, libc::RTM_NEWROUTE, CREATE | APPEND, self.body())
    }

    pub(crate) fn delete(&self) -> Request {
        Request::new(format!("delete {}", self.text()), libc::RTM_DELROUTE, 0, self.body())
    }
}

/// A route of ours, as the kernel would list it.
impl From<Route> for RouteEntry {
    fn from(route: Route) -> Self {
        Self {
            dst: route.dst,
            source: route.source,
            hops: vec![NextHop { index: route.index, gateway: route.gateway }],
            scope: route.scope,
            table: route.table.unwrap_or(TABLE_MAIN),
            priority: route.priority,
            mtu: route.mtu,
            advmss: route.advmss,
            is_the_kernels: false,
            is_unicast: true,
            message: route.body().as_bytes().to_vec(),
        }
    }
}

impl Rtnl {
    /// The routes of both families, IPv4 first: those of one table, or all. Kernels before 4.20 list all in any case.
    ///
    /// # Errors
    /// Code 100 when the kernel refuses to say.
    pub fn routes(&self, table: Option<u32>) -> Result<Vec<RouteEntry>> {
        let mut body = Attrs::behind(&[0; HEADER]);
        if let Some(table) = table {
            body.host32(libc::RTA_TABLE, table);
        }
        let list = Request::new("list the routes", libc::RTM_GETROUTE, 0, body);
        let is_asked_for = |route: &RouteEntry| table.is_none_or(|table| table == route.table);
        Ok(self.socket.list(&list, Precision::Exact, |m| RouteEntry::decode(m).filter(is_asked_for))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `10.9.0.0/16 nexthop via 10.1.0.1 dev 7 nexthop via 10.1.0.2 dev 7 dead linkdown`, as 6.1 lists it.
    fn multipath() -> Vec<u8> {
        let mut hops = Vec::new();
        for (last, flags) in [(1, ONLINK), (2, 0x11)] {
            // struct rtnexthop: length, flags, hops, index.
            hops.extend_from_slice(&16_u16.to_ne_bytes());
            hops.extend_from_slice(&[flags, 0]);
            hops.extend_from_slice(&7_u32.to_ne_bytes());
            let mut gateway = Attrs::default();
            gateway.bytes(libc::RTA_GATEWAY, &[10, 1, 0, last]);
            hops.extend_from_slice(gateway.as_bytes());
        }
        let [a, b, c, d] = 0x10_u32.to_ne_bytes();
        let mut body = Attrs::behind(&[2, 16, 0, 0, 254, 3, 0, 1, a, b, c, d]);
        body.host32(libc::RTA_TABLE, TABLE_MAIN);
        body.bytes(libc::RTA_DST, &[10, 9, 0, 0]);
        body.bytes(libc::RTA_MULTIPATH, &hops);
        body.bytes(libc::RTA_CACHEINFO, &[0; 32]);
        body.as_bytes().to_vec()
    }

    #[test]
    fn every_next_hop_moves_without_what_the_kernel_observed() {
        let entry = RouteEntry::decode(&multipath()).unwrap();
        assert_eq!(entry.gateways().map(|gw| gw.to_string()).collect::<Vec<_>>(), ["10.1.0.1", "10.1.0.2"]);
        assert!(entry.is_only_through(7) && !entry.is_only_through(8));
        let moved = RouteEntry::decode(entry.in_table(1000).body().as_bytes()).unwrap();
        assert_eq!((moved.table, &moved.hops, moved.dst), (1000, &entry.hops, entry.dst));
        assert_eq!((moved.message[4], host32(&moved.message[8..])), (0, Some(0)));
        let hops = find(&moved.message[HEADER..], libc::RTA_MULTIPATH).unwrap();
        assert_eq!(hop::each(hops).map(|(_, header, _)| header[2]).collect::<Vec<_>>(), [ONLINK, 0]);
        assert_eq!(find(&moved.message[HEADER..], libc::RTA_CACHEINFO), None);
    }

    #[test]
    fn no_message_makes_it_panic() {
        let golden = multipath();
        for end in 0..golden.len() {
            drop(RouteEntry::decode(&golden[..end]).map(|entry| entry.body()));
            for byte in [0, 1, 0x7f, 0xff] {
                let mut bytes = golden.clone();
                bytes[end] = byte;
                drop(RouteEntry::decode(&bytes).map(|entry| entry.body()));
            }
        }
    }
}
