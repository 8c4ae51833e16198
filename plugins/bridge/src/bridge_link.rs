//! The bridge: shared by the containers of the network, and kept.

use cni_net::bridge::{self, NewBridge};
use cni_net::check;
use cni_part::{Host, Made, Owned, Part, Restoring, Site, host_entry};
use cni_skel::Undo;
use cni_types::{Code, Error, IfName, Network, Result};

/// The bridge that the configuration names.
pub(crate) struct BridgeLink {
    pub(crate) name: IfName,
    pub(crate) wanted: NewBridge,
    /// It receives every packet.
    pub(crate) is_promiscuous: bool,
}

impl Part for BridgeLink {
    fn name(&self) -> &'static str {
        "bridge"
    }

    fn owned(&self) -> Option<&'static dyn Owned> {
        None
    }

    fn refuse(&self, site: &Site<'_>, made: &mut Made) -> Result<()> {
        made.bridge = bridge::find(site.host.rtnl()?, &self.name, &self.wanted)?;
        Ok(())
    }

    fn add<'a>(&'a self, site: &'a Site<'a>, made: &mut Made, _undo: &mut Undo<'a>) -> Result<()> {
        let host = site.host.rtnl()?;
        let link = bridge::ensure(host, &self.name, made.bridge.take(), &self.wanted)?;
        if self.is_promiscuous {
            bridge::ensure_promiscuous(host, &link)?;
        }
        made.bridge = Some(link);
        Ok(())
    }

    /// Its ports may have changed its address and its MTU.
    fn tell(&self, site: &Site<'_>, made: &mut Made) -> Result<()> {
        let link = made.bridge()?;
        let now = site.host.rtnl()?.find_link_by_index(link.index)?;
        let entry = host_entry(now.as_ref().unwrap_or(link));
        made.result.interfaces.push(entry);
        Ok(())
    }

    fn check(&self, site: &Site<'_>, made: &mut Made) -> Result<()> {
        let host = site.host.rtnl()?;
        let is_it = |i: &&cni_types::Interface| i.name == self.name.as_str() && i.sandbox.is_empty();
        let missing = || Error::check(format!("prevResult does not have the bridge {}", self.name));
        let entry = made.result.interfaces.iter().find(is_it).ok_or_else(missing)?;
        let link = check::link_of_kind(host, entry, "bridge")?;
        if let Err(differs) = check::mac(&link, entry) {
            // Nobody promised that of an address which follows the ports.
            if !bridge::follows_ports(host, &link)? {
                return Err(differs);
            }
        }
        check::up(&link)?;
        if self.wanted.vlan_filtering && link.vlan_filtering != Some(true) {
            return Err(Error::check(format!("bridge {} does not filter VLANs, expected to", link.name)));
        }
        if self.is_promiscuous != link.is_promiscuous() {
            let is = if self.is_promiscuous {
                "not promiscuous, expected promiscuous"
            } else {
                "promiscuous, expected not"
            };
            return Err(Error::check(format!("bridge {} is {is}", link.name)));
        }
        made.bridge = Some(link);
        Ok(())
    }

    fn restoring(&self) -> Restoring {
        Restoring::PutBack
    }

    fn status(&self, host: &Host, _network: &Network, made: &mut Made) -> Result<()> {
        bridge::probe(&self.name, &self.wanted)?;
        let host = host.rtnl()?;
        let found = bridge::find(host, &self.name, &self.wanted);
        made.bridge = found.map_err(|e| e.with_code(Code::UNAVAILABLE))?;
        let Some(link) = &made.bridge else { return Ok(()) };
        let ports = bridge::port_count(host, link)?;
        if ports >= bridge::MAX_PORTS {
            return Err(Error::unavailable(format!("bridge {} is full: it has {ports} ports", link.name)));
        }
        Ok(())
    }
}
