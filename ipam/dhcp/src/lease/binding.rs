//! What an ACK gives.

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Kind;
    use crate::message::options::of;

    fn read(address: [u8; 4], options: &[(u8, &[u8])]) -> Result<Binding, Ignored> {
        let reply = Reply {
            kind: Kind::Ack,
            xid: 0,
            mac: Mac([0; 6]),
            address: address.into(),
            server: None,
            options: of(options),
            from: None,
        };
        Binding::read(&reply, Ipv4Addr::LOCALHOST, Duration::from_secs(1000), 7)
    }

    const MASK: (u8, &[u8]) = (1, &[255, 255, 255, 0]);

    fn due(options: &[(u8, &[u8])]) -> (u64, u64, u64) {
        let all: Vec<_> = options.iter().copied().chain([MASK]).collect();
        let times = read([10, 0, 0, 7], &all).unwrap().times;
        let after = |moment: Duration| (moment - Duration::from_secs(1000)).as_secs();
        (after(times.renew), after(times.rebind), after(times.expire))
    }

    #[test]
    fn times_are_the_server_s_if_they_are_in_order() {
        assert_eq!(due(&[]), (1800, 3150, 3600));
        assert_eq!(due(&[(51, &[0, 0, 0, 80])]), (40, 70, 80));
        assert_eq!(due(&[(51, &[0, 0, 0, 80]), (58, &[0, 0, 0, 10]), (59, &[0, 0, 0, 20])]), (10, 20, 80));
        assert_eq!(due(&[(51, &[0, 0, 0, 80]), (58, &[0, 0, 0, 30]), (59, &[0, 0, 0, 20])]), (40, 70, 80));
        assert_eq!(due(&[(51, &[0, 0, 0, 80]), (58, &[0, 0, 0, 0]), (59, &[0, 0, 1, 0])]), (40, 70, 80));
        assert_eq!(due(&[(51, &[255; 4])]), (2_147_483_647, 3_758_096_383, u64::from(u32::MAX)));
    }

    #[test]
    fn contradictory_acks_are_refused() {
        assert_eq!(read([10, 0, 0, 7], &[]), Err(Ignored::Address), "no mask");
        assert_eq!(read([10, 0, 0, 7], &[(1, &[255, 0, 255, 0])]), Err(Ignored::Address));
        for address in [[0; 4], [255; 4], [127, 0, 0, 1], [224, 0, 0, 1]] {
            assert_eq!(read(address, &[MASK]), Err(Ignored::Address), "{address:?}");
        }
        assert_eq!(read([10, 0, 0, 7], &[MASK, (51, &[0; 4])]), Err(Ignored::LeaseTime));
        assert_eq!(read([10, 0, 0, 7], &[MASK, (51, &[1])]), Err(Ignored::LeaseTime));
    }

    #[test]
    fn options_become_the_result() {
        let classless: &[u8] = &[24, 192, 168, 9, 10, 0, 0, 2, 32, 1, 2, 3, 4, 0, 0, 0, 0];
        let plain = [
            MASK,
            (3, &[10, 0, 0, 1, 10, 0, 0, 2][..]),
            (6, &[10, 0, 0, 53]),
            (15, b"example.org"),
            (26, &[5, 120]),
            (33, &[172, 16, 0, 0, 10, 0, 0, 3]),
            (119, b"\x01a\0"),
        ];
        let routes = |options: &[(u8, &[u8])]| {
            let result = read([10, 0, 0, 7], options).unwrap().result;
            assert_eq!(result.ips[0].address.to_string(), "10.0.0.7/24");
            assert_eq!(result.ips[0].gateway.unwrap().to_string(), "10.0.0.1");
            assert_eq!(result.dns.nameservers, ["10.0.0.53"]);
            assert_eq!(
                (result.dns.domain.as_str(), &result.dns.search[..]),
                ("example.org", &["a".to_owned()][..])
            );
            assert!(result.routes.iter().all(|route| route.priority == 7 && route.mtu == 1400));
            let text = |r: &Route| format!("{}>{:?} {:?}", r.dst, r.gw, r.scope);
            result.routes.iter().map(text).collect::<Vec<_>>()
        };
        assert_eq!(routes(&plain), ["172.16.0.0/16>Some(10.0.0.3) None", "0.0.0.0/0>Some(10.0.0.1) None"]);
        let all: Vec<_> = plain.into_iter().chain([(121, classless)]).collect();
        assert_eq!(
            routes(&all),
            ["192.168.9.0/24>Some(10.0.0.2) None", "1.2.3.4/32>Some(0.0.0.0) Some(253)"]
        );
    }
}
