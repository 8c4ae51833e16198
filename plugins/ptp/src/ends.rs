//! Both sides of the pair: the container's addresses and routes, and the host's way to them.

use cni_net::configure::{self, Duplicates, Subnet, Told};
use cni_net::{Link, Rtnl, check, forwarding, sysctl};
use cni_part::{Host, Made, Owned, Part, Restoring, Site};
use cni_skel::Undo;
use cni_types::{Cidr, Error, Family, Network, Result, Route};

use crate::end::End;

/// Gateway addresses and host routes go with the pair, the sysctls for forwarding stay.
pub(crate) struct Ends;

impl Part for Ends {
    fn name(&self) -> &'static str {
        "addresses and routes"
    }

    fn owned(&self) -> Option<&'static dyn Owned> {
        None
    }

    fn add<'a>(&'a self, site: &'a Site<'a>, made: &mut Made, _undo: &mut Undo<'a>) -> Result<()> {
        let ends = End::all(&made.result.ips)?;
        let (host, end, container) = (site.host.rtnl()?, made.host_end()?, made.container()?);
        let interface = site.interface(container)?;
        families(&ends).try_for_each(|family| forwarding::ensure(host, family))?;
        if families(&ends).any(|family| family == Family::V6) {
            // The host asks for the container's hardware address from the pair's link-local address, which duplicate
            // detection would keep from use for up to two seconds.
            sysctl::write_if_possible(&format!("ipv6/conf/{}/accept_dad", end.name), "0");
            configure::prepare_ipv6(&interface, &[])?;
        }
        let routes = ends.iter().flat_map(|end| end.container_routes(container.index)).collect();
        configure::configure(
            &interface,
            &made.result,
            Duplicates::Trusted,
            Told::Nobody,
            &Subnet::Through(routes),
        )?;
        ends.iter().try_for_each(|one| one.ensure_on_host(host, end))
    }

    fn check(&self, site: &Site<'_>, made: &mut Made) -> Result<()> {
        let (index, _) = check::container_entry(site.attachment, &made.result)?;
        let ips = || check::ips_of(&made.result, index);
        let ends = End::all(ips())?;
        let gateways: Vec<_> = ends.iter().map(|end| Route::new(Cidr::host(end.gateway), None)).collect();
        let container = made.container()?;
        let routes = made.result.routes.iter().chain(&gateways);
        check::configured(site.inside()?, container, ips(), routes, None)?;
        check::up(container)?;
        let host = site.host.rtnl()?;
        on_the_host(host, made.host_end()?, &ends)?;
        families(&ends).try_for_each(|family| forwarding::check(host, family))
    }

    fn restoring(&self) -> Restoring {
        Restoring::PutBack
    }

    fn status(&self, host: &Host, _network: &Network, _made: &mut Made) -> Result<()> {
        forwarding::status(host.rtnl()?)
    }
}

/// Those in use.
fn families(ends: &[End]) -> impl Iterator<Item = Family> {
    Family::ALL.into_iter().filter(|family| ends.iter().any(|end| end.container.family() == *family))
}

/// The gateways' addresses and the ways to the container.
fn on_the_host(host: &Rtnl, port: &Link, ends: &[End]) -> Result<()> {
    let name = &port.name;
    let addresses = host.addresses(port.index)?;
    for end in ends {
        let gateway = Cidr::host(end.gateway);
        if !addresses.iter().any(|address| address.cidr == gateway) {
            return Err(Error::check(format!("the gateway's address {gateway} is missing on {name}")));
        }
        let ip = end.container.ip();
        if host.output_link(ip)? != Some(port.index) {
            return Err(Error::check(format!("the host has no route to {ip} through {name}")));
        }
    }
    Ok(())
}
