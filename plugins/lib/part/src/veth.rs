//! The pair between the host and the container.

use cni_net::veth::{self, Veth};
use cni_net::{Link, try_out};
use cni_skel::Undo;
use cni_types::{Network, Result};

use crate::check::Expected;
use crate::owned::{Held, Owned, Whose};
use crate::part::{Made, Part};
use crate::site::{Host, Site, host_entry};

/// A veth pair, born complete, its host end tagged with its owner.
pub struct Pair {
    /// What it is like; the master is what [`Made::bridge`] says.
    pub wanted: veth::NewPair,
}

impl Pair {
    /// Makes it, and what the host end is goes to [`Made`].
    ///
    /// # Errors
    /// Those of [`veth::create`].
    pub fn create<'a>(&self, site: &'a Site<'a>, made: &mut Made, undo: &mut Undo<'a>) -> Result<()> {
        let (host, id) = (site.host.rtnl()?, &site.attachment.id);
        let wanted = veth::NewPair { master: made.bridge.as_ref().map(|bridge| bridge.index), ..self.wanted };
        let Veth { host: end, container_index, container_mac } =
            veth::create(host, site.inside()?, site.netns()?, id, &wanted)?;
        let index = end.index;
        undo.push(format!("delete link {}", end.name), move || host.remove_link_if_present(index));
        made.container = Some(Link {
            name: id.ifname.to_string(),
            index: container_index,
            mac: Some(container_mac),
            mtu: end.mtu,
            ..Link::default()
        });
        made.host_end = Some(end);
        Ok(())
    }
}

impl Part for Pair {
    fn name(&self) -> &'static str {
        PAIR.name()
    }

    fn owned(&self) -> Option<&'static dyn Owned> {
        Some(PAIR)
    }

    fn refuse(&self, site: &Site<'_>, _made: &mut Made) -> Result<()> {
        site.refuse_taken()?;
        veth::refuse_second(site.host.rtnl()?, site.inside()?, site.netns()?, &site.attachment.id)
    }

    fn add<'a>(&'a self, site: &'a Site<'a>, made: &mut Made, undo: &mut Undo<'a>) -> Result<()> {
        self.create(site, made, undo)
    }

    fn tell(&self, site: &Site<'_>, made: &mut Made) -> Result<()> {
        let (host_end, container) = (host_entry(made.host_end()?), site.entry(Some(made.container()?)));
        made.result.interfaces.push(host_end);
        made.tell_container(container);
        Ok(())
    }

    fn check(&self, site: &Site<'_>, made: &mut Made) -> Result<()> {
        let asked = self.wanted.mtu;
        let container = Expected { site, result: &made.result }.container("veth", asked)?;
        made.host_end = Some(cni_net::check::host_end(site.host.rtnl()?, &made.result, &container, asked)?);
        made.container = Some(container);
        Ok(())
    }

    fn status(&self, _host: &Host, _network: &Network, _made: &mut Made) -> Result<()> {
        try_out("make veth pairs", "", veth::probe)
    }
}

/// Every pair of an attachment.
pub const PAIR: &dyn Owned = &Pairs;

struct Pairs;

impl Owned for Pairs {
    fn name(&self) -> &'static str {
        "veth pair"
    }

    fn remove(&self, host: &Host, whose: &Whose<'_>) -> Result<()> {
        let host = host.rtnl()?;
        match *whose {
            Whose::Attachment(detachment) => {
                veth::remove_if_present(host, &detachment.id, detachment.netns.as_deref())
            }
            Whose::Stale { owners, .. } => host.remove_tagged("veth", owners),
        }
    }

    fn held(&self, host: &Host, network: &Network) -> Result<Vec<Held>> {
        Held::links(host, "veth", network)
    }
}
