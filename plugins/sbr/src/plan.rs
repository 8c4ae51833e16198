//! What ADD makes, computed from the addresses, the configuration and what the kernel has. No effects in here.

use std::net::IpAddr;

use cni_net::tables::Routing;
use cni_net::{Change, Route, RouteEntry, Rule, SCOPE_LINK};
use cni_types::{Cidr, Error, IpConfig, Result};

use crate::conf::Conf;

/// The first table that is picked. The reference's, too.
pub(crate) const FIRST_TABLE: u32 = 100;
/// The metric of an IPv6 route without one (`IP6_RT_PRIO_USER`, `net/ip6_fib.h`).
const IPV6_METRIC: u32 = 1024;

/// The wanted rules and routes, and what leaves the main table for them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// One per address, in their order: the last one is the first to be asked.
    pub(crate) rules: Vec<Rule>,
    /// What the addresses' tables get, routes on the link in front of those through a gateway.
    pub(crate) routes: Vec<RouteEntry>,
    /// What leaves the main table, gateways first.
    pub(crate) leaving: Vec<RouteEntry>,
    /// What comes into the main table.
    pub(crate) hints: Vec<RouteEntry>,
}

impl Plan {
    /// Rules alone, for a table that somebody else has filled.
    pub(crate) fn with_table(table: u32, ips: &[&IpConfig]) -> Self {
        let rules = ips.iter().map(|ip| Rule::from_address(ip.address.ip(), table)).collect();
        Self { rules, ..Self::default() }
    }

    /// The plan for the interface with this index.
    ///
    /// # Errors
    /// Code 7 for a gateway of the wrong family, code 100 when no table is free.
    pub(crate) fn new(conf: &Conf, index: u32, ips: &[&IpConfig], routing: &Routing) -> Result<Self> {
        let (by_gateway, mut main): (Vec<_>, Vec<_>) =
            routing.main_routes_of(index).partition(|route| route.has_gateway());
        main.extend(by_gateway);
        let (mut plan, mut tables) = (Self::default(), routing.tables());
        for ip in ips {
            let table = tables.take(FIRST_TABLE)?;
            plan.rules.push(Rule::from_address(ip.address.ip(), table));
            let own = main.iter().filter(|route| is_routed_with(ip, ips, route));
            let static_gateway = conf.gateway(ip.address.family()).is_some();
            let own = own.filter(|route| !(static_gateway && is_default(route, ip)));
            let mut own: Vec<_> = own.map(|route| route.in_table(table)).collect();
            if let Some(gateway) = conf.gateway_of(ip)? {
                let route = Route { gateway: Some(gateway), ..Route::new(default_of(ip), index) };
                if !own.iter().any(|there| is_default(there, ip) && is_same_metric(there)) {
                    own.push(RouteEntry::from(route).in_table(table));
                }
            }
            plan.routes.extend(own);
        }
        if conf.source_hints {
            plan.hints = hints(index, ips);
        }
        for route in
            main.into_iter().rev().filter(|route| ips.iter().any(|ip| is_routed_with(ip, ips, route)))
        {
            plan.leave(conf, route);
        }
        Ok(plan)
    }

    /// Without hints every route leaves; with them only what they replace, and what is not on the link.
    fn leave(&mut self, conf: &Conf, route: &RouteEntry) {
        let is_on_link = |route: &RouteEntry| route.scope == SCOPE_LINK && !route.has_gateway();
        let hint = self.hints.iter().position(|hint| hint.dst == route.dst && route.dst.is_ipv4());
        match hint {
            Some(at) if is_on_link(route) && self.hints[at].source == route.source => {
                self.hints.remove(at);
            }
            None if conf.source_hints && is_on_link(route) => {}
            _ => self.leaving.push(route.clone()),
        }
    }

    /// What comes first: packets that leave by the new rules find the whole table.
    pub(crate) fn additions(&self) -> Vec<Change> {
        let routes = self.routes.iter().map(Change::add_route);
        routes.chain(self.rules.iter().map(Change::add_rule)).collect()
    }

    /// What comes when all of that is there.
    pub(crate) fn changes_of_main(&self) -> Vec<Change> {
        let leaving = self.leaving.iter().map(Change::delete_route);
        leaving.chain(self.hints.iter().map(Change::add_route)).collect()
    }
}

/// Whether a route of the interface goes into the address's table: what leads to its network, what it is the source
/// of, what names neither source nor gateway. What belongs to no address at all goes to all of its family, so that it
/// is not lost.
fn is_routed_with(ip: &IpConfig, ips: &[&IpConfig], route: &RouteEntry) -> bool {
    let fits = |ip: &IpConfig| {
        let known = |address: IpAddr| ip.address.contains(address) || ip.gateway == Some(address);
        route.source.is_some_and(known)
            || route.gateways().any(known)
            || route.source.is_none() && !route.has_gateway()
    };
    fits(ip) || ip.address.family() == route.dst.family() && !ips.iter().any(|other| fits(other))
}

pub(crate) fn default_of(ip: &IpConfig) -> Cidr {
    Cidr::default_of(ip.address.family())
}

fn is_default(route: &RouteEntry, ip: &IpConfig) -> bool {
    route.dst == default_of(ip)
}

/// Whether the route has the metric of one that is added without.
fn is_same_metric(route: &RouteEntry) -> bool {
    route.priority == if route.dst.is_ipv4() { 0 } else { IPV6_METRIC }
}

/// A route to each network on the link, with the network's first address as the source.
pub(crate) fn hints(index: u32, ips: &[&IpConfig]) -> Vec<RouteEntry> {
    let mut hints: Vec<RouteEntry> = Vec::new();
    for ip in ips.iter().filter(|ip| ip.address != Cidr::host(ip.address.ip())) {
        if !hints.iter().any(|hint| hint.dst == ip.address.masked()) {
            let source = Some(ip.address.ip());
            let hint = Route { source, scope: SCOPE_LINK, ..Route::new(ip.address, index) };
            hints.push(hint.into());
        }
    }
    hints
}

/// The addresses of the interface.
///
/// # Errors
/// Code 7 when there are none.
pub(crate) fn required<'r>(
    ips: impl Iterator<Item = &'r IpConfig>,
    ifname: &str,
) -> Result<Vec<&'r IpConfig>> {
    let ips: Vec<_> = ips.collect();
    if ips.is_empty() {
        return Err(Error::config(format!("prevResult has no IP addresses on interface {ifname}")).because(
            "sbr routes by source address: the plugin before it in the chain needs an ipam section",
        ));
    }
    Ok(ips)
}

#[cfg(test)]
mod tests;
