//! DEL.

use cni_net::{Netns, Rtnl, Rule, tables};
use cni_part::Host;
use cni_skel::Detachment;
use cni_types::Result;

use crate::conf::Conf;

/// Rules name no owner. The attachment's are those for one source address that prevResult names; where that names none,
/// an address that the interface has, or whose table leads nowhere but to the interface. With the namespace all of them
/// are gone; its path may be another container's by now, and an interface with another's tag says so.
///
/// # Errors
/// Code 8 when the namespace is there but cannot be opened; code 100 with all refusals of the kernel, folded.
pub(crate) fn del(host: &Host, detachment: &Detachment) -> Result<()> {
    let Some(netns) = Netns::find(detachment.netns.as_deref())? else { return Ok(()) };
    let inside = Rtnl::open_in(&netns)?;
    let ifname = &detachment.id.ifname;
    // A configuration that makes no sense any more names no table.
    let configured = Conf::read(&detachment.network).unwrap_or_default().table;
    let may_be_ours = |rule: &Rule| {
        rule.address().is_some()
            && !tables::is_reserved(rule.table)
            && configured.is_none_or(|table| rule.table == table)
    };
    let Some(mut rules) = inside.find_rules()? else { return Ok(()) };
    rules.retain(may_be_ours);
    let link = inside.find_link(ifname.as_str())?;
    if let Some(link) = &link
        && host.rtnl()?.is_of_another_attachment(link, &detachment.id)?
    {
        return Ok(());
    }
    let prev_result = detachment.result_hint().unwrap_or_default();
    let mut addresses: Vec<_> = prev_result.ips_of(ifname).map(|ip| ip.address.ip()).collect();
    let mut led_to_by = Vec::new();
    if let Some(link) = link.filter(|_| addresses.is_empty()) {
        addresses.extend(inside.addresses(link.index)?.into_iter().map(|address| address.cidr.ip()));
        let (through, others): (Vec<_>, Vec<_>) =
            inside.routes(None)?.into_iter().partition(|route| route.is_only_through(link.index));
        led_to_by = through.into_iter().map(|route| route.table).collect();
        led_to_by.retain(|table| !others.iter().any(|route| route.table == *table));
    }
    rules.retain(|rule| {
        rule.address().is_some_and(|address| addresses.contains(&address)) || led_to_by.contains(&rule.table)
    });
    inside.remove_rules_if_present(&rules)
}
