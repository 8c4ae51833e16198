//! The interface in its VRF, as a part.

use cni_net::{try_out, vrf};
use cni_part::{Host, InContainer, Made, Owned, Part, Parts, Site};
use cni_skel::Undo;
use cni_types::{Network, Result};

use crate::conf::Conf;
use crate::{add, check, del};

/// # Errors
/// As [`cni_part::PartPlugin::parts`].
pub(crate) fn parts(network: &Network) -> Result<Parts> {
    Ok(vec![Box::new(Membership(Conf::read(network)?))])
}

struct Membership(Conf);

/// VRFs with their members, all in containers.
pub(crate) static MEMBERSHIPS: InContainer = InContainer { name: "VRF", remove: del::del };

impl Part for Membership {
    fn name(&self) -> &'static str {
        MEMBERSHIPS.name
    }

    fn owned(&self) -> Option<&'static dyn Owned> {
        Some(&MEMBERSHIPS)
    }

    fn add<'a>(&'a self, site: &'a Site<'a>, _made: &mut Made, undo: &mut Undo<'a>) -> Result<()> {
        add::add(&self.0, site, undo)
    }

    fn check(&self, site: &Site<'_>, made: &mut Made) -> Result<()> {
        check::check(&self.0, site, &made.result)
    }

    fn status(&self, _host: &Host, _network: &Network, _made: &mut Made) -> Result<()> {
        try_out("make VRFs", "", vrf::probe)
    }
}
