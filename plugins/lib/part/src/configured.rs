//! The container's interface with the addresses and routes of the result on it.

use cni_net::check;
use cni_net::configure::{self, Duplicates, Subnet, Told};
use cni_skel::Undo;
use cni_types::{Network, Result};

use crate::owned::Owned;
use crate::part::{Made, Part, Restoring};
use crate::site::{Host, Site};

/// Addresses, connected routes, routes; and the interface up.
pub struct Configured {
    /// How IPv6 addresses are made sure to be unique.
    pub duplicates: Duplicates,
    /// Who hears of them.
    pub told: Told,
    /// Settings of an interface that has IPv6 addresses, below `/proc/sys/net/ipv6/conf/LINK`; what the kernel lacks is
    /// left out.
    pub ipv6: Vec<(&'static str, &'static str)>,
}

impl Configured {
    /// With addresses that IPAM vouches for.
    pub fn trusted(told: Told) -> Self {
        Self { duplicates: Duplicates::Trusted, told, ipv6: Vec::new() }
    }
}

impl Part for Configured {
    fn name(&self) -> &'static str {
        "addresses and routes"
    }

    /// They go with the link.
    fn owned(&self) -> Option<&'static dyn Owned> {
        None
    }

    fn add<'a>(&'a self, site: &'a Site<'a>, made: &mut Made, _undo: &mut Undo<'a>) -> Result<()> {
        // A device without an interface has nothing to configure.
        let Some(link) = &made.container else { return Ok(()) };
        let (interface, result) = (site.interface(link)?, &made.result);
        if result.ips.iter().any(|ip| !ip.address.is_ipv4()) {
            let notify = (self.told == Told::Segment).then_some(configure::NDISC_NOTIFY);
            let settings: Vec<_> = self.ipv6.iter().copied().chain(notify).collect();
            configure::prepare_ipv6(&interface, &settings)?;
        }
        configure::configure(&interface, result, self.duplicates, self.told, &Subnet::OnLink)
    }

    fn check(&self, site: &Site<'_>, made: &mut Made) -> Result<()> {
        let Some(link) = &made.container else { return Ok(()) };
        let (index, _) = check::container_entry(site.attachment, &made.result)?;
        let (ips, routes) = (check::ips_of(&made.result, index), made.result.routes.iter());
        check::configured(site.inside()?, link, ips, routes, None)?;
        check::up(link)
    }

    fn restoring(&self) -> Restoring {
        Restoring::PassOver
    }

    fn status(&self, _host: &Host, _network: &Network, _made: &mut Made) -> Result<()> {
        Ok(())
    }
}
