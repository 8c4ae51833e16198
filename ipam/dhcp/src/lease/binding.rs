//! What an ACK gives.

#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use cni_types::{Cidr, CniResult, Dns, IpConfig, Mac, Route};

use crate::message::reply::Ignored;
use crate::message::{Options, Reply, code};

/// `RT_SCOPE_LINK` (`linux/rtnetlink.h`)
const SCOPE_LINK: u8 = 253;

/// When things are due; see [`crate::clock::now`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) since: Duration,
    /// T1: ask the server that gave the lease.
    pub(crate) renew: Duration,
    /// T2: ask any server.
    pub(crate) rebind: Duration,
    pub(crate) expire: Duration,
}

/// An address with what came along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binding {
    pub(crate) address: Ipv4Addr,
    pub(crate) server: Ipv4Addr,
    /// Where frames to the server go.
    pub(crate) server_mac: Option<Mac>,
    pub(crate) times: Times,
    /// What ADD answers.
    pub(crate) result: CniResult,
}

impl Binding {
    /// Reads an ACK of `server` to a REQUEST sent at `since`; every route gets `priority`.
    ///
    /// # Errors
    /// Why it cannot be one.
    pub(crate) fn read(
        reply: &Reply,
        server: Ipv4Addr,
        since: Duration,
        priority: u32,
    ) -> Result<Self, Ignored> {
        let cidr = reply.options.prefix().filter(|_| is_host(reply.address));
        let cidr = cidr.and_then(|prefix| Cidr::new(reply.address.into(), prefix)).ok_or(Ignored::Address)?;
        let times = times(&reply.options, since)?;
        let result = result(&reply.options, cidr, priority);
        Ok(Self { address: reply.address, server, server_mac: reply.from, times, result })
    }

    /// How long the lease is good for from its start.
    pub(crate) fn length(&self) -> Duration {
        self.times.expire.saturating_sub(self.times.since)
    }
}

/// Whether a host can have the address.
pub(crate) fn is_host(ip: Ipv4Addr) -> bool {
    !(ip.is_unspecified() || ip.is_broadcast() || ip.is_multicast() || ip.is_loopback())
}

/// Times the server does not say, or that are out of order, are those of RFC 2131, section 4.4.5.
fn times(options: &Options, since: Duration) -> Result<Times, Ignored> {
    // As the reference for servers that say nothing: one hour.
    let length = match options.raw(code::LEASE_TIME) {
        None => 3600,
        Some(_) => options.seconds(code::LEASE_TIME).filter(|s| *s > 0).ok_or(Ignored::LeaseTime)?,
    };
    let said = |code| options.seconds(code).filter(|s| *s > 0).map(|s| Duration::from_secs(s.into()));
    let length = Duration::from_secs(length.into());
    let (renew, rebind) = match (said(code::RENEW_TIME), said(code::REBIND_TIME)) {
        (Some(renew), Some(rebind)) if renew < rebind && rebind < length => (renew, rebind),
        (Some(renew), None) if renew < length * 7 / 8 => (renew, length * 7 / 8),
        (None, Some(rebind)) if length / 2 < rebind && rebind < length => (length / 2, rebind),
        _ => (length / 2, length * 7 / 8),
    };
    Ok(Times { since, renew: since + renew, rebind: since + rebind, expire: since + length })
}

/// What the interface plugin gets. Option 121 replaces options 3 and 33 as routes (RFC 3442).
fn result(options: &Options, address: Cidr, priority: u32) -> CniResult {
    let gateway = options.addresses(code::ROUTERS).into_iter().find(|ip| is_host(*ip));
    let everything = Cidr::new(Ipv4Addr::UNSPECIFIED.into(), 0);
    let mut routes = Vec::new();
    match options.classless_routes() {
        Some(classless) => {
            for (destination, router) in classless {
                let mut route = Route::new(destination, Some(router.into()));
                // Without one at all the interface plugin would take the address's gateway.
                route.scope = router.is_unspecified().then_some(SCOPE_LINK);
                routes.push(route);
            }
        }
        None => {
            let via = |(to, router): (Cidr, Ipv4Addr)| Route::new(to, Some(router.into()));
            routes.extend(options.static_routes().into_iter().map(via));
            if let (Some(everything), Some(gateway)) = (everything, gateway) {
                routes.push(Route::new(everything, Some(gateway.into())));
            }
        }
    }
    for route in &mut routes {
        route.priority = priority;
        route.mtu = options.mtu().unwrap_or(0).into();
    }
    let nameservers = options.addresses(code::DNS).iter().map(ToString::to_string).collect();
    let dns = Dns {
        nameservers,
        domain: options.domain().unwrap_or_default(),
        search: options.search(),
        options: Vec::new(),
    };
    let ips = vec![IpConfig { interface: None, address, gateway: gateway.map(IpAddr::V4) }];
    CniResult { interfaces: Vec::new(), ips, routes, dns }
}
