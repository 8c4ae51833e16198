//! CHECK.

use cni_net::check;
use cni_skel::Attachment;
use cni_types::{Error, Result};

use crate::conf::Conf;

/// # Errors
/// Code 103 with the first difference: the VRF, its member, the member's addresses, the routes in the VRF's table.
pub(crate) fn check(attachment: &Attachment) -> Result<()> {
    let ifname = &attachment.id.ifname;
    let conf = Conf::read(&attachment.network)?;
    let result = check::prev_result(attachment)?;
    let (inside, link) = check::interface(attachment)?;
    let found = conf.find(&inside).map_err(|e| Error::check(e.msg).because(e.details))?;
    let vrf = found.ok_or_else(|| {
        Error::check(format!("VRF {} is gone", conf.name)).because("make the container anew")
    })?;
    if !vrf.is_up() {
        return Err(Error::check(format!("VRF {} is down", vrf.name)));
    }
    if link.master != Some(vrf.index) {
        return Err(Error::check(format!("interface {ifname} is not in VRF {}", vrf.name)));
    }
    // Those with a table of their own are the business of whoever asked for them.
    let routes = result.routes.iter().filter(|route| route.table.is_none());
    check::configured(&inside, &link, result.ips_of(ifname), routes, vrf.vrf_table())
}
