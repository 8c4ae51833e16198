//! ADD.

use cni_net::Link;
use cni_net::tables::{self, Routing};
use cni_part::Site;
use cni_skel::Undo;
use cni_types::{CniResult, Error, Result};

use crate::conf::Conf;
use crate::plan::{self, Plan};

/// # Errors
/// Code 7 when prevResult or the container's routing does not fit the configuration; code 100 with what the kernel
/// refused.
pub(crate) fn add(conf: &Conf, site: &Site<'_>, result: &CniResult, undo: &mut Undo<'_>) -> Result<()> {
    let ifname = &site.attachment.id.ifname;
    let ips = plan::required(result.ips_of(ifname), ifname.as_str())?;
    let (inside, link) = (site.inside()?, site.chained_interface()?);
    // Until the picked tables are in use. The reference takes the same lock.
    let _lock = if conf.table.is_none() { Some(tables::lock(site.netns()?)?) } else { None };
    let routing = inside.routing()?;
    let plan = match conf.table {
        Some(table) => {
            refuse_taken(table, &link, &routing)?;
            Plan::with_table(table, &ips)
        }
        None => Plan::new(conf, link.index, &ips, &routing)?,
    };
    inside.change_routing("the rules and the routes they lead to", plan.additions(), undo)?;
    inside.change_routing("the changes of the main table", plan.changes_of_main(), undo)
}

/// # Errors
/// Code 7 when the table is that of a VRF the interface is not in.
fn refuse_taken(table: u32, link: &Link, routing: &Routing) -> Result<()> {
    let owner = routing.vrfs.iter().find(|vrf| vrf.vrf_table() == Some(table));
    match owner.filter(|vrf| link.master != Some(vrf.index)) {
        None => Ok(()),
        Some(vrf) => Err(Error::config(format!("table {table} is taken: VRF {} uses it", vrf.name))
            .because(format!("{} is not in that VRF; choose another table", link.name))),
    }
}
