//! Routes. `ip route show|add|delete|get`.

mod abi;
mod change;
mod entry;
mod hop;
mod output;
pub mod tables;

use std::net::IpAddr;

use cni_types::{Cidr, Result, ip_octets};

use crate::rtnl::Rtnl;
use cni_netlink::attr::Attrs;
use cni_netlink::{CREATE, Refused, Request};

use abi::{HEADER, PROTO_BOOT, RTAX_ADVMSS, RTAX_MTU, TABLE_MAIN, TYPE_UNICAST};
pub use change::Change;
pub use entry::RouteEntry;
pub use hop::NextHop;
pub(crate) use output::look_up;

/// Scopes (`RT_SCOPE_*`).
pub const SCOPE_GLOBAL: u8 = 0;
/// Destinations on the link.
pub const SCOPE_LINK: u8 = 253;
/// Destinations on this host.
pub const SCOPE_HOST: u8 = 254;

/// A unicast route through one link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// The destination.
    pub dst: Cidr,
    /// The next hop.
    pub gateway: Option<IpAddr>,
    /// The source address the kernel picks for it.
    pub source: Option<IpAddr>,
    /// The link's index.
    pub index: u32,
    /// The scope.
    pub scope: u8,
    /// The table; `None` is main.
    pub table: Option<u32>,
    /// The metric; 0 is the kernel's default.
    pub priority: u32,
    /// Path MTU in bytes; 0 is unset.
    pub mtu: u32,
    /// TCP MSS in bytes; 0 is unset.
    pub advmss: u32,
}

impl Route {
    /// A route in the main table with nothing else set.
    pub fn new(dst: Cidr, index: u32) -> Self {
        Self {
            dst: dst.masked(),
            gateway: None,
            source: None,
            index,
            scope: SCOPE_GLOBAL,
            table: None,
            priority: 0,
            mtu: 0,
            advmss: 0,
        }
    }

    fn text(&self) -> String {
        let via = self.gateway.map(|gw| format!(" via {gw}")).unwrap_or_default();
        format!("route {}{via}", self.dst)
    }

    fn body(&self) -> Attrs {
        let table = self.table.unwrap_or(TABLE_MAIN);
        let mut header = [0; HEADER];
        header[0] = self.dst.family().number();
        header[1] = self.dst.prefix();
        // Tables above 255 do not fit here; RTA_TABLE below holds the whole number.
        header[4] = u8::try_from(table).unwrap_or(0);
        header[5] = PROTO_BOOT;
        header[6] = self.scope;
        header[7] = TYPE_UNICAST;
        let mut body = Attrs::behind(&header);
        if !self.dst.is_default() {
            body.bytes(libc::RTA_DST, &ip_octets(self.dst.ip()));
        }
        body.host32(libc::RTA_OIF, self.index);
        body.host32(libc::RTA_TABLE, table);
        for (kind, ip) in [(libc::RTA_GATEWAY, self.gateway), (libc::RTA_PREFSRC, self.source)] {
            if let Some(ip) = ip {
                body.bytes(kind, &ip_octets(ip));
            }
        }
        if self.priority != 0 {
            body.host32(libc::RTA_PRIORITY, self.priority);
        }
        if self.mtu != 0 || self.advmss != 0 {
            body.nest(libc::RTA_METRICS, |metrics| {
                for (kind, value) in [(RTAX_MTU, self.mtu), (RTAX_ADVMSS, self.advmss)] {
                    if value != 0 {
                        metrics.host32(kind, value);
                    }
                }
            });
        }
        body
    }

    /// The request to add it. Neither exclusive nor replacing: routes to one destination through several gateways
    /// stand side by side, an exact duplicate is refused (EEXIST).
    pub(crate) fn add(&self) -> Request {
        Request::new(format!("add {}", self.text()), libc::RTM_NEWROUTE, CREATE, self.body())
    }
}

impl Rtnl {
    /// Adds a route; an identical one is success.
    ///
    /// # Errors
    /// Code 100 when the kernel refuses.
    pub fn ensure_route(&self, route: &Route) -> Result<()> {
        Ok(self.socket.change(&[route.add()]).or_else(Refused::unless_there)?)
    }
}
