//! The container's addresses: where they come from, and who gets them back.

use cni_skel::Undo;
use cni_skel::delegate::ipam;
use cni_types::{CniResult, Dns, Error, Network, Result};

use crate::owned::{Held, Owned, Whose};
use crate::part::{Made, Part, Restoring};
use crate::site::{Host, Site};

/// Where the addresses come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// Nowhere: the network is layer 2 only.
    None,
    /// The IPAM plugin.
    Ipam,
    /// The plugin before this one.
    Chain,
}

/// Addresses from the IPAM plugin, or from the plugin before.
pub struct Lease {
    source: Source,
    dns: Option<Dns>,
    complete: Option<fn(&mut CniResult) -> Result<()>>,
}

static OWNED: IpamAddresses = IpamAddresses;

impl Lease {
    /// From the network's IPAM plugin; a network without one has no addresses. The configuration's `dns` replaces what
    /// IPAM says.
    ///
    /// # Errors
    /// Code 6 when `dns` does not decode, code 7 when `ipam.type` is no name.
    pub fn new(network: &Network) -> Result<Self> {
        let source = if network.ipam_type()?.is_some() { Source::Ipam } else { Source::None };
        Ok(Self { source, dns: network.dns()?, complete: None })
    }

    /// The same for a network that cannot do without.
    ///
    /// # Errors
    /// As [`Lease::new`]; code 7 when `ipam.type` is missing.
    pub fn required(network: &Network) -> Result<Self> {
        ipam::required(network)?;
        Self::new(network)
    }

    /// From IPAM, or else from the plugin before.
    ///
    /// # Errors
    /// As [`Lease::new`].
    pub fn or_chain(network: &Network) -> Result<Self> {
        let lease = Self::new(network)?;
        Ok(if lease.source == Source::None { Self { source: Source::Chain, ..lease } } else { lease })
    }

    /// What IPAM left out is filled in by `complete`.
    pub fn completed_by(self, complete: fn(&mut CniResult) -> Result<()>) -> Self {
        Self { complete: Some(complete), ..self }
    }
}

impl Part for Lease {
    fn name(&self) -> &'static str {
        OWNED.name()
    }

    fn owned(&self) -> Option<&'static dyn Owned> {
        (self.source == Source::Ipam).then_some(&OWNED)
    }

    fn refuse(&self, site: &Site<'_>, made: &mut Made) -> Result<()> {
        if self.source != Source::Chain {
            return Ok(());
        }
        let result = site.attachment.network.prev_result()?.filter(|result| !result.ips.is_empty());
        made.result = result.ok_or_else(|| {
            Error::config("ipam.type is missing, and there is no plugin before this one that gives addresses")
        })?;
        Ok(())
    }

    /// The link is there when IPAM is asked: an IPAM plugin may need it, as dhcp does.
    fn add<'a>(&'a self, site: &'a Site<'a>, made: &mut Made, undo: &mut Undo<'a>) -> Result<()> {
        if self.source == Source::Ipam {
            made.result = ipam::lease(&site.host.delegates, site.attachment, undo)?;
        }
        made.result.interfaces = Vec::new();
        self.complete.map_or(Ok(()), |complete| complete(&mut made.result))
    }

    fn tell(&self, _site: &Site<'_>, made: &mut Made) -> Result<()> {
        if let Some(dns) = &self.dns {
            made.result.dns = dns.clone();
        }
        Ok(())
    }

    fn check(&self, site: &Site<'_>, _made: &mut Made) -> Result<()> {
        ipam::check(&site.host.delegates, site.attachment)
    }

    fn restoring(&self) -> Restoring {
        Restoring::PassOver
    }

    fn status(&self, host: &Host, network: &Network, _made: &mut Made) -> Result<()> {
        ipam::status(&host.delegates, network)
    }
}

/// What the IPAM plugin keeps for an attachment.
struct IpamAddresses;

impl Owned for IpamAddresses {
    fn name(&self) -> &'static str {
        "addresses of IPAM"
    }

    fn remove(&self, host: &Host, whose: &Whose<'_>) -> Result<()> {
        match *whose {
            Whose::Attachment(detachment) => ipam::release(&host.delegates, detachment),
            Whose::Stale { network, .. } => ipam::gc(&host.delegates, network),
        }
    }

    /// The specification has no question for that.
    fn held(&self, _host: &Host, _network: &Network) -> Result<Vec<Held>> {
        Ok(Vec::new())
    }
}

/// A link and the addresses from IPAM behind it, taken away in the order that suits the IPAM plugin: the addresses of
/// one that only keeps books stay reserved when the link could not be removed, since somebody may still be using them;
/// any other may need the link to give them back.
pub struct Leased(pub &'static dyn Owned);

impl Owned for Leased {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn remove(&self, host: &Host, whose: &Whose<'_>) -> Result<()> {
        if let Whose::Attachment(detachment) = *whose {
            return ipam::detach(&host.delegates, detachment, || self.0.remove(host, whose));
        }
        Error::all([self.0.remove(host, whose), OWNED.remove(host, whose)])
    }

    fn held(&self, host: &Host, network: &Network) -> Result<Vec<Held>> {
        self.0.held(host, network)
    }

    fn includes(&self, name: &str) -> bool {
        self.0.includes(name) || OWNED.includes(name)
    }
}
