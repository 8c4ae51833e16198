//! The tuned interface as a part.

use std::path::Path;

use cni_part::{Held, Host, Made, Owned, Part, Parts, Restoring, Site, Whose};
use cni_skel::Undo;
use cni_types::{Code, Error, Network, Result, Stale};

use crate::allowlist::{self, AllowList};
use crate::backup::Backups;
use crate::conf::Conf;
use crate::{add, check, del};

/// # Errors
/// As [`cni_part::PartPlugin::parts`].
pub(crate) fn parts(network: &Network) -> Result<Parts> {
    Ok(vec![Box::new(Tuned(Conf::read(network)?))])
}

struct Tuned(Conf);

pub(crate) static CHANGES: Changes = Changes;

impl Part for Tuned {
    fn name(&self) -> &'static str {
        CHANGES.name()
    }

    fn owned(&self) -> Option<&'static dyn Owned> {
        Some(&CHANGES)
    }

    fn add<'a>(&'a self, site: &'a Site<'a>, made: &mut Made, undo: &mut Undo<'a>) -> Result<()> {
        add::add(&self.0, site, &mut made.result, undo)
    }

    fn check(&self, site: &Site<'_>, _made: &mut Made) -> Result<()> {
        check::check(&self.0, site)
    }

    fn restoring(&self) -> Restoring {
        Restoring::PutBack
    }

    fn status(&self, _host: &Host, network: &Network, _made: &mut Made) -> Result<()> {
        let unavailable = |e: Error| e.with_code(Code::UNAVAILABLE);
        let list = AllowList::read(Path::new(allowlist::DIR)).map_err(unavailable)?;
        list.allow(&self.0.sysctls.unnamed()?).map_err(unavailable)?;
        Backups::of(network).probe()
    }
}

/// What attachments have changed, by the backups of how it was before.
pub(crate) struct Changes;

impl Owned for Changes {
    fn name(&self) -> &'static str {
        "attributes of the interface"
    }

    fn remove(&self, _host: &Host, whose: &Whose<'_>) -> Result<()> {
        match *whose {
            Whose::Attachment(detachment) => del::del(detachment),
            Whose::Stale { network, owners } => Backups::of(network).collect(owners),
        }
    }

    fn held(&self, _host: &Host, network: &Network) -> Result<Vec<Held>> {
        Backups::of(network).held(&Stale::all(&network.name))
    }
}
