//! Moving a link to another namespace, and making it what it was before.

use cni_netlink::Refused;
use cni_netlink::attr::Attrs;
use cni_types::{Error, Mac, Result};

use super::request::{self, about, ifinfomsg};
use super::{IFF_ALLMULTI, IFF_PROMISC, IFF_UP, Link, set_flags};
use crate::netns::Netns;
use crate::rtnl::Rtnl;

/// The flags an administrator can switch (`__dev_change_flags`, `net/core/dev.c`): up, debug, noarp, promisc, allmulti,
/// multicast, dynamic.
const SETTABLE: u32 = IFF_UP | 0x4 | 0x80 | IFF_PROMISC | IFF_ALLMULTI | 0x1000 | 0x8000;

/// What a link is to be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its alias; empty for none.
    pub alias: &'a str,
    /// Its hardware address; `None` leaves it.
    pub mac: Option<Mac>,
    /// MTU in bytes; `None` leaves it.
    pub mtu: Option<u32>,
    /// `IFF_*`, of which those an administrator can switch are set; `None` leaves them.
    pub flags: Option<u32>,
}

impl Shape<'_> {
    fn mac_for(&self, link: &Link) -> Option<Mac> {
        self.mac.filter(|&mac| link.mac != Some(mac))
    }

    fn mtu_for(&self, link: &Link) -> Option<u32> {
        self.mtu.filter(|&mtu| link.mtu != mtu)
    }
}

impl Rtnl {
    /// Moves a link of this namespace to `to` and gives it `shape`, all in one request: the kernel takes the new name
    /// for the move itself where the old one is in use there, so no third namespace is needed, and a process that is
    /// killed leaves the link either here or there as it should be. The link loses its addresses, and is down unless
    /// the shape says otherwise.
    ///
    /// # Errors
    /// What the kernel refused. The move comes first, then MAC address, MTU, name, alias and flags (`do_setlink`,
    /// `net/core/rtnetlink.c`); so with a refusal the link may be there already, without what comes behind.
    pub fn move_link(&self, link: &Link, to: &Netns, shape: &Shape<'_>) -> std::result::Result<(), Refused> {
        let (flags, mask) = shape.flags.map_or((0, 0), |flags| (flags, SETTABLE));
        let mut body = Attrs::behind(&ifinfomsg(link.index, flags, mask));
        body.host32(libc::IFLA_NET_NS_FD, to.fd());
        if let Some(mac) = shape.mac_for(link) {
            body.bytes(libc::IFLA_ADDRESS, &mac.0);
        }
        if let Some(mtu) = shape.mtu_for(link) {
            body.host32(libc::IFLA_MTU, mtu);
        }
        body.text(libc::IFLA_IFNAME, shape.name);
        body.bytes(libc::IFLA_IFALIAS, shape.alias.as_bytes());
        let doing = format!("move link {} to {} as {}", link.name, to.path().display(), shape.name);
        self.socket.change(&[request::set(doing, body)])
    }

    /// Gives a link of this namespace that shape. What it has already is not set again; what the kernel refuses stops
    /// nothing else.
    ///
    /// # Errors
    /// Code 100 with all refusals, folded.
    pub fn shape_link(&self, link: &Link, shape: &Shape<'_>) -> Result<()> {
        let set = |what: String, fill: &dyn Fn(&mut Attrs)| {
            let mut body = about(link.index);
            fill(&mut body);
            request::set(format!("set the {what} of link {}", link.name), body)
        };
        let mut requests = Vec::new();
        let rename = link.name != shape.name;
        if rename {
            // Kernels before 6.2 rename no link that is up.
            requests.push(set_flags(format!("set link {} down", link.name), link.index, 0, IFF_UP));
            requests.push(set(format!("name {}", shape.name), &|b| b.text(libc::IFLA_IFNAME, shape.name)));
        }
        if link.alias != shape.alias {
            requests.push(set("alias".into(), &|b| b.bytes(libc::IFLA_IFALIAS, shape.alias.as_bytes())));
        }
        if let Some(mac) = shape.mac_for(link) {
            requests.push(set(format!("MAC address {mac}"), &|b| b.bytes(libc::IFLA_ADDRESS, &mac.0)));
        }
        if let Some(mtu) = shape.mtu_for(link) {
            requests.push(set(format!("MTU {mtu}"), &|b| b.host32(libc::IFLA_MTU, mtu)));
        }
        let flags = shape.flags.unwrap_or(link.flags);
        if rename || (flags ^ link.flags) & SETTABLE != 0 {
            requests.push(set_flags(
                format!("set the flags of link {}", shape.name),
                link.index,
                flags,
                SETTABLE,
            ));
        }
        if requests.is_empty() {
            return Ok(());
        }
        Error::all(self.socket.ask(&requests).into_iter().map(|answer| answer.map(drop)))
    }
}
