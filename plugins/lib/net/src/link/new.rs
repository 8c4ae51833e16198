//! Making a link in the container's namespace, under its final name, also on a master on the host.

use std::os::unix::fs::MetadataExt;

use cni_netlink::attr::Attrs;
use cni_netlink::{Refused, Request};
use cni_types::{AttachmentId, Error, IfName, Mac, Result};

use super::kind::tap;
use super::owned::vanished;
use super::request::{self, about, about_named, put_mtu};
use super::{Kind, Link, Tap, first, get};
use crate::netns::Netns;
use crate::rtnl::Rtnl;

/// Interface indexes tried when a link of the name is on the host. Those that the kernel gives count up from 1; these
/// are far from any it has got to.
const INDEXES: std::ops::Range<u32> = 1 << 28..(1 << 28) + 64;

/// The link a container is to get.
#[derive(Debug, Clone, Copy)]
pub struct NewLink<'a> {
    /// Its name.
    pub name: &'a IfName,
    /// Its kind.
    pub kind: &'a Kind,
    /// The link it is on, and where that is.
    pub master: Option<(&'a Link, Side)>,
    /// The bridge in the container that it becomes a port of.
    pub bridge: Option<&'a Link>,
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
    /// Code 100 with what the kernel refused; code 2 for a tap's context on a kernel without SELinux.
    pub fn create(&self, host: &Rtnl, inside: &Rtnl, netns: &Netns) -> Result<()> {
        if let Kind::Tap(tap) = self.kind {
            return self.create_tap(tap, inside, netns);
        }
        let request = self.request(0, netns);
        let made = match self.master {
            Some((_, Side::Host)) => match host.socket.change(&[request]) {
                // Kernels before 6.15 look for a link of this name on the host too, where it may well be (eth0).
                Err(refused) if refused.is_exist() && host.find_link(self.name.as_str())?.is_some() => {
                    self.create_with_index(host, netns, refused)
                }
                made => made,
            },
            _ => inside.socket.change(&[request]),
        };
        made.map_err(|refused| self.kind.explain(refused))
    }

    /// Writes the owner's tag on the link, and says what it is like.
    ///
    /// # Errors
    /// Code 100 with what the kernel refused.
    pub fn tag(&self, inside: &Rtnl, owner: &AttachmentId) -> Result<Link> {
        let name = self.name.as_str();
        let mut answers = inside
            .socket
            .ask(&[super::owned::tag(name, owner), get(format!("look up link {name}"), 0, Some(name))]);
        let found = answers.pop().map(first).transpose()?.flatten();
        answers.into_iter().try_for_each(|tagged| tagged.map(drop))?;
        found.ok_or_else(|| vanished(name))
    }

    /// Asked for a link with an index, the kernel looks for the index on the host instead.
    fn create_with_index(
        &self,
        host: &Rtnl,
        netns: &Netns,
        mut refused: Refused,
    ) -> std::result::Result<(), Refused> {
        for index in INDEXES {
            refused = match host.socket.change(&[self.request(index, netns)]) {
                Ok(made) => return Ok(made),
                Err(refused) => refused,
            };
            let is_there = || host.find_link_by_index(index).is_ok_and(|found| found.is_some());
            let in_use = refused.is_busy() || refused.is_exist() && is_there();
            if !in_use {
                break;
            }
        }
        Err(refused)
    }

    fn request(&self, index: u32, netns: &Netns) -> Request {
        let mut body = about(index);
        body.text(libc::IFLA_IFNAME, self.name.as_str());
        self.put(&mut body);
        let mut on = String::new();
        if let Some((master, side)) = self.master {
            body.host32(libc::IFLA_LINK, master.index);
            on = format!(" on {}", master.name);
            if side == Side::Host {
                body.host32(libc::IFLA_NET_NS_FD, netns.fd());
            }
        }
        self.kind.put(&mut body);
        let doing = format!("create {} {}{on} in {}", self.kind.name(), self.name, netns.path().display());
        request::create(doing, body)
    }

    /// The tap is kept when it is complete, and not there at all before.
    fn create_tap(&self, tap: &Tap, inside: &Rtnl, netns: &Netns) -> Result<()> {
        let file = netns.enter(|| tap.create(self.name))??;
        let mut body = about_named(self.name.as_str());
        self.put(&mut body);
        let doing = format!("set the MAC address, MTU and bridge of tap {}", self.name);
        inside.socket.change(&[request::set(doing, body)])?;
        tap::persist(&file, self.name)
    }

    fn put(&self, body: &mut Attrs) {
        put_mtu(body, self.mtu);
        if let Some(mac) = self.mac {
            body.bytes(libc::IFLA_ADDRESS, &mac.0);
        }
        if let Some(bridge) = self.bridge {
            body.host32(libc::IFLA_MASTER, bridge.index);
        }
    }
}

impl Kind {
    /// Makes a link of the kind in a throw-away namespace: what STATUS asks.
    ///
    /// # Errors
    /// Code 50 with what the kernel refused.
    pub fn probe(&self) -> Result<()> {
        let cannot = format!("make links of the kind {}", self.name());
        // Taps are made by a device, which may go.
        let device = std::fs::metadata("/dev/net/tun").ok().map(|device| device.rdev());
        crate::try_out(&cannot, &format!("{self:?} {device:?}"), |rtnl| {
            if let Self::Tap(tap) = self {
                return tap.create(&IfName::new("made")?).map(drop);
            }
            let mut body = about_named("made");
            if self.has_master() {
                super::veth::probe(rtnl)?;
                body.host32(libc::IFLA_LINK, rtnl.link("probe")?.index);
            }
            self.put(&mut body);
            let doing = format!("create a {}", self.name());
            let create = request::create(doing, body);
            rtnl.socket.change(&[create]).map_err(|refused| self.explain(refused))
        })
    }

    /// "Unknown device type" is all that a kernel says which has no links of the kind.
    fn explain(&self, refused: Refused) -> Error {
        let unsupported = refused.is_unsupported();
        let error = Error::from(refused);
        if !unsupported {
            return error;
        }
        let (option, module) = self.option();
        let (kind, details) = (self.name(), error.details);
        let details = format!(
            "{details}; the kernel needs {option} for {kind} links: modprobe {module}, or another kernel"
        );
        Error { details, ..error }
    }
}
