//! `loopback`: brings `lo` up in the container.
//!
//! ADD sets `lo` up and reports its addresses, or passes a previous result on. `CNI_IFNAME` is ignored, as the
//! reference does; it is always `lo`. Nothing is left on the host, so GC has nothing to do; DEL sets `lo` down.
//!
//! Differs from the reference: under 0.1.0–0.4.0 the result has that version's shape; STATUS opens a netlink socket.

use std::net::IpAddr;

use cni_net::{Address, IFF_UP, Link, Netns, Rtnl};
use cni_skel::{About, Attachment, Detachment, Plugin};
use cni_types::{CniResult, Code, Error, Interface, IpConfig, Network, Result, SpecVersion};

/// The plugin.
pub struct Loopback;

const LO: &str = "lo";

impl Plugin for Loopback {
    fn about(&self) -> About {
        About { name: "loopback", versions: &SpecVersion::ALL }
    }

    fn add(&self, attachment: &Attachment) -> Result<CniResult> {
        let prev_result = attachment.network.prev_result()?;
        let (inside, lo) = open(&Netns::open(&attachment.netns)?)?;
        attachment.is_repeated.set(lo.is_up());
        inside.set_flags(&lo, IFF_UP, IFF_UP)?;
        let addresses = inside.addresses(lo.index)?;
        if let Some(foreign) = addresses.iter().find(|a| !a.cidr.ip().is_loopback()) {
            return Err(Error::new(
                Code::KERNEL,
                format!("lo has the address {}, which is no loopback address", foreign.cidr),
            )
            .because("something else in this namespace uses lo; remove the address first"));
        }
        Ok(prev_result.unwrap_or_else(|| result(attachment, &lo, &addresses)))
    }

    fn check(&self, attachment: &Attachment) -> Result<()> {
        let (_, lo) = open(&Netns::open(&attachment.netns)?)?;
        if lo.is_up() {
            Ok(())
        } else {
            Err(Error::check("link lo is down, expected up")
                .because("`ip link set lo up` in the container, or make it anew"))
        }
    }

    fn del(&self, detachment: &Detachment) -> Result<()> {
        let Some(netns) = Netns::find(detachment.netns.as_deref())? else { return Ok(()) };
        let (inside, lo) = open(&netns)?;
        inside.set_flags(&lo, 0, IFF_UP)
    }

    fn gc(&self, _network: &Network) -> Result<()> {
        Ok(())
    }

    fn status(&self, _network: &Network) -> Result<()> {
        Rtnl::open().map(drop).map_err(|e| Error { code: Code::UNAVAILABLE, ..e })
    }
}

fn open(netns: &Netns) -> Result<(Rtnl, Link)> {
    let inside = Rtnl::open_in(netns)?;
    let lo = inside.link(LO)?;
    Ok((inside, lo))
}

/// `lo` with its first address of each family.
fn result(attachment: &Attachment, lo: &Link, addresses: &[Address]) -> CniResult {
    let first = |of: fn(&IpAddr) -> bool| addresses.iter().find(|a| of(&a.cidr.ip()));
    let ips = [first(IpAddr::is_ipv4), first(IpAddr::is_ipv6)].into_iter().flatten();
    CniResult {
        interfaces: vec![Interface {
            name: LO.to_owned(),
            mac: lo.mac_text(),
            mtu: lo.mtu,
            sandbox: attachment.netns.to_string_lossy().into_owned(),
            ..Interface::default()
        }],
        ips: ips.map(|a| IpConfig { interface: Some(0), address: a.cidr, gateway: None }).collect(),
        ..CniResult::default()
    }
}
