//! The link in the container that macvlan, ipvlan, vlan, tap and dummy make.

use cni_net::configure::Told;
use cni_net::{Kind, Link, Master, Netns, NewLink, Rtnl, Side, refuse_down, refuse_larger};
use cni_skel::{Detachment, Undo};
use cni_types::{AttachmentId, Code, Error, IfName, Mac, Network, Result};

use crate::addresses::Lease;
use crate::check::Expected;
use crate::configured::Configured;
use crate::owned::{Held, Owned, Whose};
use crate::part::{Made, Part, Parts};
use crate::site::{Host, Site};

/// A link of the container's own.
pub struct ContainerLink {
    /// What takes it away.
    pub owned: &'static LinkOfKind,
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
}

impl ContainerLink {
    /// On nothing, with the kernel's defaults.
    pub fn new(owned: &'static LinkOfKind, kind: Kind) -> Self {
        Self { owned, kind, master: None, bridge: None, mtu: 0, mac: None }
    }

    /// The list of a plugin that makes this link, with these addresses on it.
    pub fn with(self, lease: Lease, told: Told) -> Parts {
        vec![Box::new(self), Box::new(lease), Box::new(Configured::trusted(told))]
    }

    fn find_master(&self, master: Option<&Master>, site: &Site<'_>) -> Result<Option<Link>> {
        let Some(master) = master else { return Ok(None) };
        let found = master.find(site.host.rtnl()?, site.inside()?)?;
        found.iter().try_for_each(|master| self.refuse_unfit(master))?;
        Ok(found)
    }

    fn refuse_unfit(&self, master: &Link) -> Result<()> {
        refuse_larger(self.mtu, master)?;
        if self.kind.needs_master_up() { refuse_down(master) } else { Ok(()) }
    }

    fn find_bridge(&self, inside: &Rtnl) -> Result<Option<Link>> {
        let Some(name) = &self.bridge else { return Ok(None) };
        let found = inside.find_link(name.as_str())?.filter(|link| link.kind == "bridge");
        let missing = || Error::config(format!("there is no bridge {name} in the container"));
        found.map(Some).ok_or_else(missing)
    }

    /// The link is where it was put, and as it was made.
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
}

impl Part for ContainerLink {
    fn name(&self) -> &'static str {
        self.owned.name()
    }

    fn owned(&self) -> Option<&'static dyn Owned> {
        Some(self.owned)
    }

    fn refuse(&self, site: &Site<'_>, _made: &mut Made) -> Result<()> {
        site.refuse_taken()?;
        site.inside()?.refuse_tagged(self.kind.name(), &site.attachment.id, site.netns()?)
    }

    /// The owner's tag on it is how DEL finds it although the container has renamed it.
    fn add<'a>(&'a self, site: &'a Site<'a>, made: &mut Made, undo: &mut Undo<'a>) -> Result<()> {
        let (id, inside) = (&site.attachment.id, site.inside()?);
        let settled = self.master.as_ref().map(|m| m.settled(&site.attachment.network)).transpose()?;
        let (master, bridge) = (self.find_master(settled.as_ref(), site)?, self.find_bridge(inside)?);
        let link = NewLink {
            name: &id.ifname,
            kind: &self.kind,
            master: master.as_ref().zip(settled.map(|m| m.side)),
            bridge: bridge.as_ref(),
            mtu: self.mtu,
            mac: self.mac,
        };
        link.create(site.host.rtnl()?, inside, site.netns()?)?;
        undo.push(format!("delete {} in the container", id.ifname), || {
            inside.remove_link_named_if_present(&id.ifname)
        });
        made.container = Some(link.tag(inside, id)?);
        Ok(())
    }

    fn tell(&self, site: &Site<'_>, made: &mut Made) -> Result<()> {
        made.tell_container(site.entry(made.container.as_ref()));
        Ok(())
    }

    fn check(&self, site: &Site<'_>, made: &mut Made) -> Result<()> {
        let link = Expected { site, result: &made.result }.container(self.kind.name(), self.mtu)?;
        let differs = |e: Error| e.with_code(Code::CHECK);
        let master = self.find_master(self.master.as_ref(), site).map_err(differs)?;
        let bridge = self.find_bridge(site.inside()?).map_err(differs)?;
        self.compare(&link, master.as_ref(), bridge.as_ref())?;
        made.container = Some(link);
        Ok(())
    }

    /// The kernel, and the master where it is on the host.
    fn status(&self, host: &Host, _network: &Network, _made: &mut Made) -> Result<()> {
        self.kind.probe()?;
        let Some(master) = self.master.as_ref().filter(|master| master.side == Side::Host) else {
            return Ok(());
        };
        let host = host.rtnl()?;
        let fits = master.find(host, host).and_then(|m| m.iter().try_for_each(|m| self.refuse_unfit(m)));
        fits.map_err(|e| e.with_code(Code::UNAVAILABLE))
    }
}

/// The links of one kind (`IFLA_INFO_KIND`) in containers.
pub struct LinkOfKind(pub &'static str);

impl LinkOfKind {
    /// By the owner's tag, or by the interface's name: one of another kind, or another attachment's, is not ours.
    fn find(&self, inside: &Rtnl, id: &AttachmentId) -> Result<Option<Link>> {
        let named = inside.find_link(id.ifname.as_str())?.filter(|link| link.kind == self.0);
        if named.as_ref().is_some_and(|link| id.owns(&link.alias)) {
            return Ok(named);
        }
        let tagged = inside.tagged(self.0, |alias| id.owns(alias))?.into_iter().next();
        // One without a tag is the reference's, or its ADD was killed in between.
        Ok(tagged.or_else(|| named.filter(|link| !AttachmentId::is_tag(&link.alias))))
    }

    fn remove_of(&self, detachment: &Detachment) -> Result<()> {
        let Some(netns) = Netns::find(detachment.netns.as_deref())? else { return Ok(()) };
        let inside = Rtnl::open_in(&netns)?;
        let found = self.find(&inside, &detachment.id)?;
        found.map_or(Ok(()), |link| inside.remove_link_if_present(link.index))
    }
}

impl Owned for LinkOfKind {
    fn name(&self) -> &'static str {
        self.0
    }

    /// The host has none of it: what is stale has gone with its container.
    fn remove(&self, _host: &Host, whose: &Whose<'_>) -> Result<()> {
        match *whose {
            Whose::Attachment(detachment) => self.remove_of(detachment),
            Whose::Stale { .. } => Ok(()),
        }
    }

    fn held(&self, _host: &Host, _network: &Network) -> Result<Vec<Held>> {
        Ok(Vec::new())
    }
}
