//! What the container sends from another MAC address than its own is dropped.

use cni_filter::spoof;
use cni_skel::Undo;
use cni_types::{Code, Error, IfName, Mac, Network, Result};

use crate::owned::{Held, Owned, Whose};
use crate::part::{Made, Part, Restoring};
use crate::site::{Host, Site};

/// The check on the host end of the container's pair.
pub struct SpoofCheck;

static OWNED: Checked = Checked;

impl SpoofCheck {
    /// Ours and the reference's.
    pub const OWNED: &'static dyn Owned = &OWNED;
}

/// The port and the address that may send there.
fn subject(made: &Made) -> Result<(IfName, Mac)> {
    let mac = made.container()?.mac;
    let mac =
        mac.ok_or_else(|| Error::new(Code::INTERNAL, "the container's interface has no MAC address"))?;
    Ok((IfName::new(&made.host_end()?.name)?, mac))
}

impl Part for SpoofCheck {
    fn name(&self) -> &'static str {
        OWNED.name()
    }

    fn owned(&self) -> Option<&'static dyn Owned> {
        Some(&OWNED)
    }

    fn add<'a>(&'a self, site: &'a Site<'a>, made: &mut Made, undo: &mut Undo<'a>) -> Result<()> {
        let (filter, id, (port, mac)) = (site.host.filter(), &site.attachment.id, subject(made)?);
        undo.push("remove the MAC spoof check", move || spoof::remove(filter, id));
        spoof::add(filter, id, &port, mac)
    }

    fn check(&self, site: &Site<'_>, made: &mut Made) -> Result<()> {
        let (port, mac) = subject(made)?;
        spoof::check(site.host.filter(), &site.attachment.id, &port, mac)
    }

    fn restoring(&self) -> Restoring {
        Restoring::PutBack
    }

    fn status(&self, host: &Host, _network: &Network, _made: &mut Made) -> Result<()> {
        spoof::status(host.filter())
    }
}

struct Checked;

impl Owned for Checked {
    fn name(&self) -> &'static str {
        "MAC spoof check"
    }

    fn remove(&self, host: &Host, whose: &Whose<'_>) -> Result<()> {
        match *whose {
            Whose::Attachment(detachment) => spoof::remove(host.filter(), &detachment.id),
            Whose::Stale { owners, .. } => spoof::collect(host.filter(), owners),
        }
    }

    fn held(&self, host: &Host, network: &Network) -> Result<Vec<Held>> {
        Ok(Held::list(spoof::held(host.filter(), &network.name)?))
    }
}
