//! The link that a plugin's configuration asks for, and the verbs on it.

use cni_skel::delegate::ipam;
use cni_skel::{Attachment, Undo};
use cni_types::{CniResult, Code, Dns, Error, IfName, Mac, Network, Result};

use super::{Addresses, Site};
use crate::check;
use crate::link::{Kind, Link, NewLink, Side};
use crate::master::{self, Master};
use crate::rtnl::Rtnl;

/// What the configuration of a plugin with one link asks for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The link's kind.
    pub kind: Kind,
    /// The link it is on.
    pub master: Option<Master>,
    /// The bridge in the container that it becomes a port of.
    pub bridge: Option<IfName>,
    /// MTU in bytes; 0 leaves the kernel's default, which is the master's.
    pub mtu: u32,
    /// Its address; the kernel's choice otherwise.
    pub mac: Option<Mac>,
    /// Replaces what IPAM says.
    pub dns: Option<Dns>,
    /// Whether a network without IPAM has the addresses of the plugin before; it is layer 2 only otherwise.
    pub takes_addresses: bool,
}

impl Wanted {
    /// A link of this kind on nothing, with the kernel's defaults.
    ///
    /// # Errors
    /// Code 6 when `dns` does not decode.
    pub fn new(kind: Kind, network: &Network) -> Result<Self> {
        let dns = network.dns()?;
        Ok(Self { kind, master: None, bridge: None, mtu: 0, mac: None, dns, takes_addresses: false })
    }

    /// ADD.
    ///
    /// # Errors
    /// Code 7 for a master or a bridge that cannot be used, such as one with a smaller MTU; those of [`super::add`].
    pub fn add(&self, attachment: &Attachment) -> Result<CniResult> {
        let addresses = self.addresses(&attachment.network)?;
        let settled = self.master.as_ref().map(|m| m.settled(&attachment.network)).transpose()?;
        let site = Site::open_for_add(attachment)?;
        site.inside.refuse_tagged(self.kind.name(), &attachment.id, &site.netns)?;
        let (master, bridge) = (self.find_master(settled.as_ref(), &site)?, self.find_bridge(&site.inside)?);
        let link = NewLink {
            name: &attachment.id.ifname,
            kind: &self.kind,
            master: master.as_ref().zip(settled.map(|m| m.side)),
            bridge: bridge.as_ref(),
            mtu: self.mtu,
            mac: self.mac,
        };
        let mut undo = Undo::new();
        let link = site.create(&link, &mut undo)?;
        super::add(&site, &link, addresses, self.dns.clone(), self.kind.has_neighbours(), undo)
    }

    fn addresses(&self, network: &Network) -> Result<Addresses> {
        if !self.takes_addresses || network.ipam_type()?.is_some() {
            return Ok(Addresses::Ipam);
        }
        let result = network.prev_result()?.filter(|result| !result.ips.is_empty());
        let result = result.ok_or_else(|| {
            Error::config("ipam.type is missing, and there is no plugin before this one that gives addresses")
        })?;
        Ok(Addresses::Given(Box::new(result)))
    }

    fn find_master(&self, master: Option<&Master>, site: &Site<'_>) -> Result<Option<Link>> {
        let found = master.map(|master| master.find(&site.host, &site.inside)).transpose()?.flatten();
        found.iter().try_for_each(|master| self.refuse_unfit(master))?;
        Ok(found)
    }

    fn refuse_unfit(&self, master: &Link) -> Result<()> {
        master::refuse_larger(self.mtu, master)?;
        if self.kind.needs_master_up() { master::refuse_down(master) } else { Ok(()) }
    }

    fn find_bridge(&self, inside: &Rtnl) -> Result<Option<Link>> {
        let Some(name) = &self.bridge else { return Ok(None) };
        let found = inside.find_link(name.as_str())?.filter(|link| link.kind == "bridge");
        let missing = || Error::config(format!("there is no bridge {name} in the container"));
        found.map(Some).ok_or_else(missing)
    }

    /// CHECK.
    ///
    /// # Errors
    /// As [`super::check`]; code 103 too when the link is not where it was put or not as it was made.
    pub fn check(&self, attachment: &Attachment) -> Result<()> {
        super::check(attachment, self.kind.name(), |site, link, entry| {
            let differs = |e: Error| Error { code: Code::CHECK, ..e };
            let master = self.find_master(self.master.as_ref(), site).map_err(differs)?;
            let bridge = self.find_bridge(&site.inside).map_err(differs)?;
            check::mtu(link, entry, self.mtu)?;
            check::up(link)?;
            self.compare(link, master.as_ref(), bridge.as_ref())
        })
    }

    fn compare(&self, link: &Link, master: Option<&Link>, bridge: Option<&Link>) -> Result<()> {
        let name = &link.name;
        for (expected, index, word) in [(master, link.iflink, "on"), (bridge, link.master, "a port of")] {
            let Some(expected) = expected.filter(|expected| index != Some(expected.index)) else { continue };
            let index = index.map_or_else(|| "no link".to_owned(), |i| format!("the link with index {i}"));
            let (there, at) = (&expected.name, expected.index);
            let text = format!("link {name} is {word} {index}, expected {there} with index {at}");
            return Err(Error::check(text));
        }
        match Kind::of(link) {
            Some(kind) if self.kind.agrees_with(&kind) => Ok(()),
            Some(kind) => Err(Error::check(format!("link {name} is {kind}, expected {}", self.kind))),
            None => Err(Error::check(format!("link {name} is of no known form, expected {}", self.kind))),
        }
    }

    /// STATUS: IPAM, the kernel, and the master where it is on the host.
    ///
    /// # Errors
    /// Code 50 with the reason.
    pub fn status(&self, network: &Network) -> Result<()> {
        ipam::status(network)?;
        self.kind.probe()?;
        let Some(master) = self.master.as_ref().filter(|master| master.side == Side::Host) else {
            return Ok(());
        };
        let host = Rtnl::open()?;
        let found = master.find(&host, &host);
        let fits = found.and_then(|m| m.iter().try_for_each(|m| self.refuse_unfit(m)));
        fits.map_err(|e| Error { code: Code::UNAVAILABLE, ..e })
    }
}
