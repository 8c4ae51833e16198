//! The container's interface with the addresses and routes of the result on it.

use cni_net::check;
use cni_net::configure::{self, Duplicates, Subnet};
use cni_skel::Undo;
use cni_types::{Network, Result};

use crate::owned::Owned;
use crate::part::{Made, Part, Restoring};
use crate::site::{Host, Site};

/// Addresses, connected routes, routes; and the interface up.
pub struct Configured {
    /// How IPv6 addresses are made sure to be unique.
    pub duplicates: Duplicates,
    /// Sysctls of an interface that has addresses, below `/proc/sys/net`, with `IF` for its name; what the kernel lacks is
    /// left out.
    pub sysctls: Vec<(&'static str, &'static str)>,
}

impl Configured {
    /// When the interface comes up it says who has the addresses: a gratuitous ARP per IPv4 address, an unsolicited
    /// neighbour advertisement per IPv6 address.
    pub const TELL_SEGMENT: [(&'static str, &'static str); 2] =
        [("ipv4/conf/IF/arp_notify", "1"), ("ipv6/conf/IF/ndisc_notify", "1")];

    /// With addresses that IPAM vouches for.
    pub fn trusted(sysctls: &[(&'static str, &'static str)]) -> Self {
        Self { duplicates: Duplicates::Trusted, sysctls: sysctls.to_vec() }
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
        if !result.ips.is_empty() {
            let name = interface.name.as_str();
            let sysctls: Vec<_> =
                self.sysctls.iter().map(|(key, value)| (key.replace("IF", name), *value)).collect();
            configure::prepare(&interface, &sysctls, result.ips.iter().any(|ip| !ip.address.is_ipv4()))?;
        }
        configure::configure(&interface, result, self.duplicates, &Subnet::OnLink)
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

    fn status(&self, _host: &Host, _network: &Network) -> Result<()> {
        Ok(())
    }
}
