//! The container's pair, its host end a port of the bridge.

use cni_net::bridge::vlan::{self, Vlan};
use cni_net::{Link, Rtnl, bridge};
use cni_part::{Host, Made, Owned, Pair, Part, Site};
use cni_skel::Undo;
use cni_types::{Error, Network, Result};

use crate::conf::Vlans;

/// The pair with all that a port has.
pub(crate) struct Port {
    pub(crate) pair: Pair,
    /// What the host end does as a port.
    pub(crate) flags: bridge::Port,
    /// Its VLANs, on a bridge that filters them.
    pub(crate) vlans: Option<Vlans>,
}

impl Part for Port {
    fn name(&self) -> &'static str {
        self.pair.name()
    }

    fn owned(&self) -> Option<&'static dyn Owned> {
        self.pair.owned()
    }

    fn refuse(&self, site: &Site<'_>, made: &mut Made) -> Result<()> {
        self.pair.refuse(site, made)
    }

    fn add<'a>(&'a self, site: &'a Site<'a>, made: &mut Made, undo: &mut Undo<'a>) -> Result<()> {
        let host = site.host.rtnl()?;
        let bridge = made.bridge()?.clone();
        let added = self.pair.add(site, made, undo);
        added.map_err(|error| bridge::explain_full(host, &bridge, error))?;
        let end = made.host_end()?;
        if (end.hairpin, end.isolated) != (self.flags.hairpin, self.flags.isolated) {
            bridge::set_port(host, end, &self.flags)?;
        }
        if let Some(vlans) = &self.vlans {
            vlan::apply(host, end.index, &end.name, &vlans.wanted(), vlans.is_exact())?;
        }
        Ok(())
    }

    fn tell(&self, site: &Site<'_>, made: &mut Made) -> Result<()> {
        self.pair.tell(site, made)
    }

    fn check(&self, site: &Site<'_>, made: &mut Made) -> Result<()> {
        self.pair.check(site, made)?;
        let (port, bridge) = (made.host_end()?, made.bridge()?);
        let name = &port.name;
        if port.master != Some(bridge.index) {
            return Err(Error::check(format!("{name} is not a port of bridge {}", bridge.name)));
        }
        for (key, is, wanted) in [
            ("hairpinMode", port.hairpin, self.flags.hairpin),
            ("portIsolation", port.isolated, self.flags.isolated),
        ] {
            if is != wanted {
                return Err(Error::check(format!("{key} of port {name} is {is}, expected {wanted}")));
            }
        }
        let Some(vlans) = &self.vlans else { return Ok(()) };
        check_vlans(site.host.rtnl()?, port, &vlans.wanted(), vlans.is_exact())
    }

    /// The bridge tries a pair out, too.
    fn status(&self, _host: &Host, _network: &Network, _made: &mut Made) -> Result<()> {
        Ok(())
    }
}

/// The port has the VLANs that are `wanted`; with `exact`, no other.
pub(crate) fn check_vlans(host: &Rtnl, port: &Link, wanted: &[Vlan], exact: bool) -> Result<()> {
    let there = vlan::list(host, port.index)?;
    let same = if exact { there == wanted } else { wanted.iter().all(|v| there.contains(v)) };
    if same {
        return Ok(());
    }
    let text = |list: &[Vlan]| list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    Err(Error::check(format!(
        "port {} has the VLANs [{}], expected [{}]",
        port.name,
        text(&there),
        text(wanted)
    )))
}
