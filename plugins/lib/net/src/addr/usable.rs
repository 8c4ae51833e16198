//! IPv6 addresses are usable when packets to them are delivered. The kernel takes an address without duplicate
//! detection as its own in a worker, which has to wait for a lock (`addrconf_dad_work`, `net/ipv6/addrconf.c`): on a
//! busy machine that is after the request has been answered.

use std::net::IpAddr;
use std::time::Duration;

use cni_netlink::{Objects, Request};
use cni_types::{Error, Result};

use crate::route::look_up;
use crate::rtnl::Rtnl;

/// `RTNLGRP_IPV6_ROUTE`, `RTN_LOCAL` (`linux/rtnetlink.h`)
const RTNLGRP_IPV6_ROUTE: u32 = 11;
const LOCAL: u8 = 2;
/// How long the kernel's worker may take.
const LIMIT: Duration = Duration::from_secs(5);

/// The question whether packets to an address of the link are delivered, for [`is_usable`].
pub(crate) fn ask(index: u32, ip: IpAddr) -> Request {
    look_up(ip, Some(index))
}

/// Whether the answer is yes. Without a route it is a refusal, and so it is no.
pub(crate) fn is_usable(answer: &Objects) -> bool {
    let is_local = |route: &Vec<u8>| route.get(7) == Some(&LOCAL);
    answer.as_ref().is_ok_and(|routes| routes.iter().any(is_local))
}

impl Rtnl {
    /// Waits until the IPv6 addresses of the link are usable. It listens to the kernel; call it when it is known that
    /// one is not.
    ///
    /// # Errors
    /// Code 11 when the kernel has not come round to one within five seconds.
    pub(crate) fn wait_until_usable(&self, index: u32, link: &str, ips: &[IpAddr]) -> Result<()> {
        let usable = || {
            let answers = self.socket.ask(&ips.iter().map(|ip| ask(index, *ip)).collect::<Vec<_>>());
            Ok::<_, Error>(answers.iter().all(is_usable).then_some(()))
        };
        if self.socket.ask_until(RTNLGRP_IPV6_ROUTE, LIMIT, usable)?.is_some() {
            return Ok(());
        }
        // Routing of somebody else's making may lead elsewhere. What the kernel has not finished is another thing.
        let mut addresses = self.addresses(index)?.into_iter();
        let late = addresses.find(|a| a.tentative && !a.duplicate && ips.contains(&a.cidr.ip()));
        late.map_or(Ok(()), |late| {
            let text = format!("address {} of {link} is not usable after {LIMIT:?}", late.cidr);
            Err(Error::try_again(text).because("the kernel has not finished adding it; the machine is busy"))
        })
    }
}
