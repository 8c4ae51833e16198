//! ADD.

use cni_net::tables::{self, Routing};
use cni_net::{Link, Netns, Rtnl};
use cni_skel::{Attachment, Undo};
use cni_types::{CniResult, Error, Result};

use crate::conf::Conf;
use crate::plan::{self, Plan};

pub(crate) fn add(attachment: &Attachment) -> Result<CniResult> {
    let ifname = &attachment.id.ifname;
    let conf = Conf::read(&attachment.network)?;
    let result = attachment.network.chained_result("sbr")?;
    let ips = plan::required(result.ips_of(ifname), ifname.as_str())?;
    let netns = Netns::open(&attachment.netns)?;
    let inside = Rtnl::open_in(&netns)?;
    let link = inside.chained_interface(ifname, &netns)?;
    // Until the picked tables are in use. The reference takes the same lock.
    let _lock = if conf.table.is_none() { Some(tables::lock(&netns)?) } else { None };
    let routing = inside.routing()?;
    let plan = match conf.table {
        Some(table) => {
            refuse_taken(table, &link, &routing)?;
            Plan::with_table(table, &ips)
        }
        None => Plan::new(&conf, link.index, &ips, &routing)?,
    };
    let mut undo = Undo::new();
    inside.change_routing("the rules and the routes they lead to", plan.additions(), &mut undo)?;
    inside.change_routing("the changes of the main table", plan.changes_of_main(), &mut undo)?;
    undo.commit();
    Ok(result)
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
