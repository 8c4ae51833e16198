//! What the packet filter lets through for the attachment's addresses, as a part.

use cni_part::{Held, Host, Made, Owned, Part, Parts, Restoring, Site, Whose};
use cni_skel::Undo;
use cni_types::{Network, Result};

use crate::conf::{self, Conf};
use crate::{bridged, forward};

/// # Errors
/// As [`cni_part::PartPlugin::parts`].
pub(crate) fn parts(network: &Network) -> Result<Parts> {
    Ok(vec![Box::new(Admission(Conf::read(network)?))])
}

struct Admission(Conf);

pub(crate) static ADMISSIONS: Admissions = Admissions;

impl Part for Admission {
    fn name(&self) -> &'static str {
        ADMISSIONS.name()
    }

    fn owned(&self) -> Option<&'static dyn Owned> {
        Some(&ADMISSIONS)
    }

    fn add<'a>(&'a self, site: &'a Site<'a>, made: &mut Made, _undo: &mut Undo<'a>) -> Result<()> {
        let (conf, id) = (&self.0, &site.attachment.id);
        let policy = conf.policy(&made.result)?;
        if conf.isolates_containers() {
            bridged::warn_unless_filtered();
        }
        site.attachment.is_repeated.set(forward::is_known(id));
        forward::add(site.host.filter(), conf.backend, id, &policy)
    }

    fn check(&self, site: &Site<'_>, made: &mut Made) -> Result<()> {
        let policy = self.0.policy(&made.result)?;
        forward::check(site.host.filter(), self.0.backend, &site.attachment.id, &policy)
    }

    fn restoring(&self) -> Restoring {
        Restoring::PutBack
    }

    fn status(&self, host: &Host, _network: &Network, _made: &mut Made) -> Result<()> {
        let conf = &self.0;
        if conf.isolates_containers() {
            bridged::warn_unless_filtered();
        }
        forward::status(host.filter(), conf.backend, conf.isolates())
    }
}

/// What attachments have in every backend.
pub(crate) struct Admissions;

impl Owned for Admissions {
    fn name(&self) -> &'static str {
        "firewall"
    }

    fn remove(&self, host: &Host, whose: &Whose<'_>) -> Result<()> {
        let filter = host.filter();
        match *whose {
            Whose::Attachment(detachment) => {
                let zone = conf::zone_hint(&detachment.network);
                forward::remove(filter, &detachment.id, &detachment.address_hints(), zone.as_ref())
            }
            Whose::Stale { owners, .. } => forward::collect(filter, owners),
        }
    }

    fn held(&self, host: &Host, network: &Network) -> Result<Vec<Held>> {
        forward::held(host.filter(), &network.name).map(Held::list)
    }
}
