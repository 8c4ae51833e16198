//! ADD.

use cni_net::tables::{self, Routing};
use cni_net::{Link, Rtnl, vrf};
use cni_part::Site;
use cni_skel::Undo;
use cni_types::{Code, Error, Result};

use crate::conf::Conf;

/// The first table that is picked. The reference's, too.
const FIRST_TABLE: u32 = 1;

/// # Errors
/// Code 7 when the configuration does not fit what the container has; code 100 with what the kernel refused.
pub(crate) fn add<'a>(conf: &Conf, site: &'a Site<'a>, undo: &mut Undo<'a>) -> Result<()> {
    let (inside, link) = (site.inside()?, site.chained_interface()?);
    refuse_member(inside, &link)?;
    // Until the table is in use.
    let _lock = tables::lock(site.netns()?)?;
    let routing = inside.routing()?;
    let settings = vrf::MemberSettings::of(inside, &link, &routing)?;
    let vrf = match conf.find(inside)? {
        Some(vrf) => vrf,
        None => {
            let table = table(conf, &link, &routing)?;
            let vrf = vrf::create(inside, &conf.name, table, &site.attachment.id)?;
            let index = vrf.index;
            undo.push(format!("delete VRF {}", vrf.name), move || inside.remove_link_if_present(index));
            vrf
        }
    };
    inside.join(&link, &vrf, settings, undo)
}

/// # Errors
/// Code 100 when the interface belongs to a bridge or VRF already, naming it.
fn refuse_member(inside: &Rtnl, link: &Link) -> Result<()> {
    let Some(index) = link.master else { return Ok(()) };
    let master = inside.find_link_by_index(index)?;
    let master = master.map_or_else(|| format!("index {index}"), |master| master.name);
    Err(Error::new(Code::KERNEL, format!("interface {} has already a master set: {master}", link.name))
        .because("an interface can be in one VRF or bridge; was this container's DEL forgotten?"))
}

/// The table of a new VRF: the configured one, which only other VRFs may share, or the first that nobody uses.
///
/// # Errors
/// Code 7 when the configured one is in use, naming by what.
fn table(conf: &Conf, link: &Link, routing: &Routing) -> Result<u32> {
    let Some(table) = conf.table else { return routing.tables().take(FIRST_TABLE) };
    let is_a_vrfs = routing.vrfs.iter().any(|vrf| vrf.vrf_table() == Some(table));
    let rule = routing.rules.iter().find(|rule| rule.table == table);
    let route = routing.routes.iter().find(|r| r.table == table && !r.is_only_through(link.index));
    let user = match (rule, route) {
        _ if is_a_vrfs => return Ok(table),
        (Some(rule), _) => format!("a rule for packets from {} looks into it", rule.source),
        (None, Some(route)) => format!("it has a route to {}", route.dst),
        (None, None) => return Ok(table),
    };
    Err(Error::config(format!("table {table} is taken, VRF {} cannot have it", conf.name))
        .because("without the key \"table\" a free one is picked")
        .because(user))
}
