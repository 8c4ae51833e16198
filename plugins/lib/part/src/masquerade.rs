//! What the attachment sends beyond its network leaves with the host's address.

use cni_filter::masquerade::{self, Backend};
use cni_skel::Undo;
use cni_types::{Cidr, CniResult, Network, Result};

use crate::owned::{Held, Owned, Whose};
use crate::part::{Made, Part, Restoring};
use crate::site::{Host, Site};

/// Masquerades the result's addresses.
pub struct Masquerade {
    /// The packet filter that was asked for, if one was.
    backend: Option<Backend>,
}

impl Part for Masquerade {
    fn name(&self) -> &'static str {
        OWNED.name()
    }

    fn owned(&self) -> Option<&'static dyn Owned> {
        Some(&OWNED)
    }

    fn add<'a>(&'a self, site: &'a Site<'a>, made: &mut Made, undo: &mut Undo<'a>) -> Result<()> {
        let (filter, id) = (site.host.filter(), &site.attachment.id);
        let ips = networks(&made.result);
        let addresses: Vec<_> = ips.iter().map(Cidr::ip).collect();
        undo.push("remove the masquerade", move || masquerade::remove(filter, id, &addresses));
        masquerade::add(filter, self.backend, id, &ips)
    }

    fn check(&self, site: &Site<'_>, made: &mut Made) -> Result<()> {
        masquerade::check(site.host.filter(), self.backend, &site.attachment.id, &networks(&made.result))
    }

    fn restoring(&self) -> Restoring {
        Restoring::PutBack
    }

    fn status(&self, host: &Host, _network: &Network, _made: &mut Made) -> Result<()> {
        masquerade::status(host.filter(), self.backend)
    }
}

fn networks(result: &CniResult) -> Vec<Cidr> {
    result.ips.iter().map(|ip| ip.address).collect()
}

impl Masquerade {
    /// By the packet filter that the configuration asks for, or that is this node's default.
    ///
    /// # Errors
    /// Those of [`Backend::or_of_node`].
    pub fn with(configured: Option<Backend>) -> Result<Self> {
        Ok(Self { backend: Backend::or_of_node(configured)? })
    }

    /// In every layout.
    pub const OWNED: &'static dyn Owned = &OWNED;
}

static OWNED: Masqueraded = Masqueraded;

struct Masqueraded;

impl Owned for Masqueraded {
    fn name(&self) -> &'static str {
        "masquerade"
    }

    fn remove(&self, host: &Host, whose: &Whose<'_>) -> Result<()> {
        match *whose {
            Whose::Attachment(detachment) => {
                masquerade::remove(host.filter(), &detachment.id, &detachment.address_hints())
            }
            Whose::Stale { owners, .. } => masquerade::collect(host.filter(), owners),
        }
    }

    fn held(&self, host: &Host, network: &Network) -> Result<Vec<Held>> {
        Ok(Held::list(masquerade::held(host.filter(), &network.name)?))
    }
}
