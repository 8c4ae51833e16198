//! CHECK.

use cni_net::check;
use cni_part::Site;
use cni_types::{CniResult, Error, Result};

use crate::conf::Conf;

/// # Errors
/// Code 103 with the first difference: the VRF, its member, the member's addresses, the routes in the VRF's table.
pub(crate) fn check(conf: &Conf, site: &Site<'_>, result: &CniResult) -> Result<()> {
    let (ifname, inside) = (&site.attachment.id.ifname, site.inside()?);
    let link = site.find_interface()?;
    let found = conf.find(inside).map_err(|e| Error::check(e.msg).because(e.details))?;
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
    check::configured(inside, &link, result.ips_of(ifname), routes, vrf.vrf_table())
}
