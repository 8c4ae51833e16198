//! CHECK.

use std::net::IpAddr;

use cni_net::RouteEntry;
use cni_net::tables::Routing;
use cni_part::Site;
use cni_types::{Cidr, CniResult, Error, IpConfig, Result};

use crate::conf::Conf;
use crate::plan;

/// # Errors
/// Code 103 with the first rule or route that is missing.
pub(crate) fn check(conf: &Conf, site: &Site<'_>, result: &CniResult) -> Result<()> {
    let ifname = &site.attachment.id.ifname;
    let link = site.find_interface()?;
    let routing = site.inside()?.routing()?;
    let ips = plan::required(result.ips_of(ifname), ifname.as_str())?;
    if conf.source_hints && conf.table.is_none() {
        hints(link.index, &ips, &routing)?;
    }
    for ip in ips {
        let address = ip.address.ip();
        // The first one is the one that is asked.
        let rule = routing.rules.iter().find(|rule| rule.address() == Some(address));
        let table = rule.map(|rule| rule.table).ok_or_else(|| {
            let wanted = conf.table.map(|table| format!(" to look into table {table}")).unwrap_or_default();
            Error::check(format!("there is no rule for packets from {address}{wanted}"))
        })?;
        if let Some(wanted) = conf.table {
            if table != wanted {
                let text =
                    format!("the rule for packets from {address} looks into table {table}, not {wanted}");
                return Err(Error::check(text));
            }
            continue;
        }
        let there = routing.routes.iter().filter(|r| r.table == table && r.is_only_through(link.index));
        let there: Vec<_> = there.collect();
        for (dst, gateway) in wanted(conf, result, ip)? {
            if !there.iter().any(|route| is(route, dst, gateway)) {
                let via = gateway.map(|gw| format!(" via {gw}")).unwrap_or_default();
                let text =
                    format!("route {dst}{via} of {ifname} is missing in table {table}, that of {address}");
                return Err(Error::check(text));
            }
        }
    }
    Ok(())
}

fn hints(index: u32, ips: &[&IpConfig], routing: &Routing) -> Result<()> {
    let is_there = |hint: &RouteEntry| {
        routing.main_routes_of(index).any(|there| (there.dst, there.source) == (hint.dst, hint.source))
    };
    let Some(hint) = plan::hints(index, ips).into_iter().find(|hint| !is_there(hint)) else { return Ok(()) };
    let source = hint.source.map(|source| format!(" with source {source}")).unwrap_or_default();
    Err(Error::check(format!("route {}{source} is missing in the main table", hint.dst)))
}

fn is(route: &RouteEntry, dst: Cidr, gateway: Option<IpAddr>) -> bool {
    route.dst == dst && gateway.is_none_or(|gateway| route.gateways().any(|gw| gw == gateway))
}

/// What the address's table has to have for sure: destinations, and gateways where they matter.
fn wanted(conf: &Conf, result: &CniResult, ip: &IpConfig) -> Result<Vec<(Cidr, Option<IpAddr>)>> {
    let mut wanted = Vec::new();
    if ip.address != Cidr::host(ip.address.ip()) {
        wanted.push((ip.address.masked(), None));
    }
    if conf.gateway_of(ip)?.is_some() {
        wanted.push((plan::default_of(ip), conf.gateway(ip.address.family())));
    }
    let own = result.routes.iter().filter(|route| route.table.is_none() && !route.dst.is_default());
    let own = own.filter(|route| route.gw.is_some_and(|gw| ip.address.contains(gw)));
    wanted.extend(own.map(|route| (route.dst.masked(), route.gw)));
    Ok(wanted)
}
