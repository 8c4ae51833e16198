//! A link's settings in IPv4 and IPv6, those of `/proc/sys/net/ipv4/conf/LINK` and `/proc/sys/net/ipv6/conf/LINK`, by
//! netlink (`IFLA_AF_SPEC`): the kernel tells all of them along with the link, and sets those of IPv4. An open below
//! `/proc/sys/net` costs a millisecond where there are a thousand namespaces, since the kernel looks for the right one
//! among entries of the same name (`proc_sys_compare`, `fs/proc/proc_sysctl.c`).

use cni_netlink::Request;
use cni_netlink::attr::{Attrs, find, host32};
use cni_types::Result;

use super::Link;
use super::request::{about, set};
use crate::rtnl::Rtnl;

/// `IFLA_AF_SPEC` (`linux/if_link.h`): one attribute per address family.
const IFLA_AF_SPEC: u16 = 26;
/// `AF_INET`, `AF_INET6` as attributes in it, and `IFLA_INET_CONF`, `IFLA_INET6_CONF` in these: arrays when the kernel
/// tells them, attributes when IPv4's are set.
const INET: u16 = 2;
const INET6: u16 = 10;
const IFLA_INET_CONF: u16 = 1;
const IFLA_INET6_CONF: u16 = 2;
/// `IPV4_DEVCONF_ARP_NOTIFY`, `IPV4_DEVCONF_ROUTE_LOCALNET` (`linux/ip.h`), which count from 1.
const ARP_NOTIFY: u16 = 22;
const ROUTE_LOCALNET: u16 = 26;
/// `DEVCONF_ACCEPT_RA`, `DEVCONF_DISABLE_IPV6` (`linux/ipv6.h`), which count from 0.
const ACCEPT_RA: usize = 3;
const DISABLE_IPV6: usize = 26;

/// Those that somebody asks for; `None` where the kernel does not tell, as one without IPv6.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settings {
    /// Packets to and from 127.0.0.0/8 may pass the link.
    pub route_localnet: Option<bool>,
    /// Router advertisements are taken, unless the host forwards.
    pub(crate) accept_ra: Option<bool>,
    /// It has no IPv6.
    pub(crate) disable_ipv6: Option<bool>,
}

impl Settings {
    /// Of a link's attributes.
    pub(super) fn read(spec: &[u8]) -> Self {
        let table = |family, conf| find(spec, family).and_then(|own| find(own, conf)).unwrap_or_default();
        let (v4, v6) = (table(INET, IFLA_INET_CONF), table(INET6, IFLA_INET6_CONF));
        let is_on = |table: &[u8], at: usize| table.get(4 * at..).and_then(host32).map(|value| value != 0);
        Self {
            route_localnet: is_on(v4, usize::from(ROUTE_LOCALNET) - 1),
            accept_ra: is_on(v6, ACCEPT_RA),
            disable_ipv6: is_on(v6, DISABLE_IPV6),
        }
    }
}

/// The attribute that holds them.
pub(super) const ATTRIBUTE: u16 = IFLA_AF_SPEC;

/// Has the kernel send a gratuitous ARP for each IPv4 address of the link when it comes up, and when it gets its
/// hardware address.
pub(crate) fn notify_arp(index: u32, link: &str) -> Request {
    switch_on(ARP_NOTIFY, format!("set net.ipv4.conf.{link}.arp_notify to 1"), index)
}

fn switch_on(setting: u16, doing: String, index: u32) -> Request {
    let mut body = about(index);
    body.nest(IFLA_AF_SPEC, |families| {
        families.nest(INET, |own| own.nest(IFLA_INET_CONF, |conf: &mut Attrs| conf.host32(setting, 1)));
    });
    set(doing, body)
}

impl Rtnl {
    /// Lets packets to and from 127.0.0.0/8 pass the link.
    ///
    /// # Errors
    /// Code 100 when the kernel refuses.
    pub fn route_localnet(&self, link: &Link) -> Result<()> {
        let doing = format!("set net.ipv4.conf.{}.route_localnet to 1", link.name);
        Ok(self.socket.change(&[switch_on(ROUTE_LOCALNET, doing, link.index)])?)
    }
}
