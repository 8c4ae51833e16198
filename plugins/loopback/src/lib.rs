//! `loopback`: brings `lo` up in the container.
//!
//! ADD sets `lo` up and reports its addresses, or passes a previous result on. `CNI_IFNAME` is ignored, as the
//! reference does; it is always `lo`. Nothing is left on the host, so GC has nothing to do; DEL sets `lo` down.
//!
//! Differs from the reference: under 0.1.0–0.4.0 the result has that version's shape; STATUS opens a netlink socket.

use std::net::IpAddr;

use cni_net::{Address, IFF_UP, Link, Netns, Rtnl};
use cni_part::{Host, InContainer, Made, Owned, Part, PartPlugin, Site};
use cni_skel::{Detachment, Undo};
use cni_types::{Code, Error, IpConfig, Network, Result};

const LO: &str = "lo";

/// The plugin.
pub static LOOPBACK: PartPlugin = PartPlugin::of_link("loopback", |_| Ok(vec![Box::new(Lo)]), &[&UP]);

struct Lo;

static UP: InContainer = InContainer { name: LO, remove: set_down };

impl Part for Lo {
    fn name(&self) -> &'static str {
        LO
    }

    fn owned(&self) -> Option<&'static dyn Owned> {
        Some(&UP)
    }

    /// A previous result is passed on.
    fn add<'a>(&'a self, site: &'a Site<'a>, made: &mut Made, _undo: &mut Undo<'a>) -> Result<()> {
        let prev_result = site.attachment.network.prev_result()?;
        let inside = site.inside()?;
        let lo = inside.link(LO)?;
        site.attachment.is_repeated.set(lo.is_up());
        inside.set_flags(&lo, IFF_UP, IFF_UP)?;
        let addresses = inside.addresses(lo.index)?;
        if let Some(foreign) = addresses.iter().find(|a| !a.cidr.ip().is_loopback()) {
            return Err(Error::new(
                Code::KERNEL,
                format!("lo has the address {}, which is no loopback address", foreign.cidr),
            )
            .because("something else in this namespace uses lo; remove the address first"));
        }
        match prev_result {
            Some(result) => made.result = result,
            None => tell(site, made, &lo, &addresses),
        }
        Ok(())
    }

    fn check(&self, site: &Site<'_>, _made: &mut Made) -> Result<()> {
        if site.inside()?.link(LO)?.is_up() {
            return Ok(());
        }
        Err(Error::check("link lo is down, expected up")
            .because("`ip link set lo up` in the container, or make it anew"))
    }

    fn status(&self, host: &Host, _network: &Network, _made: &mut Made) -> Result<()> {
        host.rtnl().map(drop)
    }
}

/// `lo` with its first address of each family.
fn tell(site: &Site<'_>, made: &mut Made, lo: &Link, addresses: &[Address]) {
    let first = |of: fn(&IpAddr) -> bool| addresses.iter().find(|a| of(&a.cidr.ip()));
    let ips = [first(IpAddr::is_ipv4), first(IpAddr::is_ipv6)].into_iter().flatten();
    made.result.ips = ips.map(|a| IpConfig { interface: None, address: a.cidr, gateway: None }).collect();
    made.tell_container(cni_types::Interface { name: LO.to_owned(), ..site.entry(Some(lo)) });
}

fn set_down(_host: &Host, detachment: &Detachment) -> Result<()> {
    let Some(netns) = Netns::find(detachment.netns.as_deref())? else { return Ok(()) };
    let inside = Rtnl::open_in(&netns)?;
    inside.set_flags(&inside.link(LO)?, 0, IFF_UP)
}
