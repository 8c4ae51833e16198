//! Making a link in the container's namespace, under its final name, also on a master on the host.

use cni_netlink::attr::Attrs;
use cni_netlink::{CREATE, EXCL};
use cni_types::{Code, Doing, Error, IfName, Mac, Result};

use super::{Kind, Link, ifinfomsg, put_mtu};
use crate::netns::Netns;
use crate::rtnl::message::Request;
use crate::rtnl::{Refused, Rtnl};

/// Interface indexes tried when a link of the name is on the host. Those the kernel gives count up from 1; these are far
/// from any it has got to.
const INDEXES: std::ops::Range<u32> = 1 << 28..(1 << 28) + 64;

/// The link a container is to get.
#[derive(Debug, Clone, Copy)]
pub struct NewLink<'a> {
    /// Its name.
    pub name: &'a IfName,
    /// Its kind.
    pub kind: Kind,
    /// The link it is on, and where that is.
    pub master: Option<(&'a Link, Side)>,
    /// MTU in bytes; 0 leaves the kernel's default.
    pub mtu: u32,
    /// Its address; the kernel's choice otherwise.
    pub mac: Option<Mac>,
}

/// One of the two namespaces of an attachment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The host's.
    Host,
    /// The container's.
    Container,
}

impl NewLink<'_> {
    /// Makes the link in `netns`, where `inside` is a socket; `host` is one on the host.
    ///
    /// # Errors
    /// Code 100 with what the kernel refused.
    pub(crate) fn create(&self, host: &Rtnl, inside: &Rtnl, netns: &Netns) -> Result<Link> {
        let request = |index| self.request(index, netns);
        let made = match self.master {
            // The kernel looks for a link of this name on the host too, where it may well be (eth0). Asked for by
            // index, it looks for the index instead.
            Some((_, Side::Host)) => match host.request(request(0)) {
                Err(refused) if refused.is_exist() && inside.find_link(self.name.as_str())?.is_none() => {
                    self.create_with_index(host, netns, refused)
                }
                made => made,
            },
            _ => inside.request(request(0)),
        };
        made?;
        inside.link(self.name.as_str())
    }

    fn create_with_index(
        &self,
        host: &Rtnl,
        netns: &Netns,
        mut refused: Refused,
    ) -> std::result::Result<Vec<Vec<u8>>, Refused> {
        for index in INDEXES {
            match host.request(self.request(index, netns)) {
                Err(taken) if taken.is_exist() || taken.is_busy() => refused = taken,
                made => return made,
            }
        }
        Err(refused)
    }

    fn request(&self, index: u32, netns: &Netns) -> Request {
        let mut body = Attrs::behind(&ifinfomsg(index, 0, 0));
        body.text(libc::IFLA_IFNAME, self.name.as_str());
        put_mtu(&mut body, self.mtu);
        if let Some(mac) = self.mac {
            body.bytes(libc::IFLA_ADDRESS, &mac.0);
        }
        let mut on = String::new();
        if let Some((master, side)) = self.master {
            body.host32(libc::IFLA_LINK, master.index);
            on = format!(" on {}", master.name);
            if side == Side::Host {
                body.host32(libc::IFLA_NET_NS_FD, netns.fd());
            }
        }
        body.nest(libc::IFLA_LINKINFO, |info| self.kind.put(info));
        let doing = format!("create {} {}{on} in {}", self.kind.name(), self.name, netns.path().display());
        Request::new(doing, libc::RTM_NEWLINK, CREATE | EXCL, body)
    }
}

impl Kind {
    /// Makes a link of the kind in a throw-away namespace: what STATUS asks.
    ///
    /// # Errors
    /// Code 50 with what the kernel refused.
    pub fn probe(self) -> Result<()> {
        let made = crate::in_fresh_netns(|rtnl| {
            let mut body = Attrs::behind(&ifinfomsg(0, 0, 0));
            body.text(libc::IFLA_IFNAME, "made");
            if self.has_master() {
                super::veth::probe(rtnl)?;
                body.host32(libc::IFLA_LINK, rtnl.link("probe")?.index);
            }
            body.nest(libc::IFLA_LINKINFO, |info| self.put(info));
            let doing = format!("create a {}", self.name());
            Ok(rtnl.all(vec![Request::new(doing, libc::RTM_NEWLINK, CREATE | EXCL, body)])?)
        });
        made.map_err(|e| Error { code: Code::UNAVAILABLE, ..e })
            .doing(format!("the kernel cannot make links of the kind {}", self.name()))
    }
}
