//! Giving the container's interface its addresses and routes, and bringing it up.

use std::time::Duration;

use cni_types::{CniResult, Code, Error, Family, IfName, Result};

use crate::addr::{AddFlags, Address, usable};
use crate::link::set_up;
use crate::link::settings::notify_arp;
use crate::netns::Netns;
use crate::route::{Route, SCOPE_GLOBAL, SCOPE_LINK};
use crate::rtnl::Rtnl;
use crate::{addr, sysctl};

/// `RTNLGRP_IPV6_IFADDR` (`linux/rtnetlink.h`)
const RTNLGRP_IPV6_IFADDR: u32 = 9;
/// How long duplicate address detection may take.
const DAD_LIMIT: Duration = Duration::from_secs(5);

/// The container's interface.
pub struct Interface<'a> {
    /// A socket in the container's namespace.
    pub inside: &'a Rtnl,
    /// The namespace.
    pub netns: &'a Netns,
    /// The interface's name.
    pub name: &'a IfName,
    /// The interface's index.
    pub index: u32,
}

/// How IPv6 addresses are made sure to be unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duplicates {
    /// IPAM vouches for them: usable at once.
    Trusted,
    /// The kernel looks for another owner first, which takes one to two seconds.
    Detected,
}

/// Who is told, when the interface comes up, that it has the addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// Nobody.
    Nobody,
    /// The segment: by a gratuitous ARP per IPv4 address, and an unsolicited neighbour advertisement per IPv6 address
    /// where [`NDISC_NOTIFY`] is set.
    Segment,
}

/// What [`Told::Segment`] needs for IPv6 addresses, for [`prepare_ipv6`].
pub const NDISC_NOTIFY: (&str, &str) = ("ndisc_notify", "1");

/// How the addresses' own networks are reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subnet {
    /// On the link: the kernel's connected routes.
    OnLink,
    /// By these routes, without connected ones.
    Through(Vec<Route>),
}

/// Writes what an interface with IPv6 addresses needs, all in one visit to the container's namespace: `extra` first,
/// values of `/proc/sys/net/ipv6/conf/LINK` that the kernel may lack.
///
/// # Errors
/// Code 8 when the namespace cannot be entered, code 100 when the kernel has IPv6 but it cannot be enabled.
pub fn prepare_ipv6(interface: &Interface<'_>, extra: &[(&str, &str)]) -> Result<()> {
    let name = interface.name.as_str();
    interface.netns.enter(|| {
        for (setting, value) in extra {
            sysctl::write_if_possible(&format!("ipv6/conf/{name}/{setting}"), value);
        }
        ["lo", name].into_iter().try_for_each(sysctl::ensure_ipv6_by_name)?;
        // So that the addresses outlive a `down` and `up` inside the container.
        sysctl::write(&format!("ipv6/conf/{name}/keep_addr_on_down"), "1")
    })?
}

/// Adds the result's addresses and routes and brings the interface up: one burst of requests.
///
/// # Errors
/// Code 100 with what the kernel refused, or with the address another machine has; code 7 for a route whose gateway
/// is of another family than its destination.
pub fn configure(
    interface: &Interface<'_>,
    result: &CniResult,
    duplicates: Duplicates,
    told: Told,
    subnet: &Subnet,
) -> Result<()> {
    let name = interface.name.as_str();
    let ipv6: Vec<_> = result.ips.iter().map(|ip| ip.address.ip()).filter(|ip| !ip.is_ipv4()).collect();
    let detect = duplicates == Duplicates::Detected && !ipv6.is_empty();
    let mut requests = Vec::new();
    let how = AddFlags { detect_duplicates: detect, no_connected_route: *subnet != Subnet::OnLink };
    for ip in &result.ips {
        requests.push(addr::add(interface.index, name, ip.address, how));
    }
    if told == Told::Segment && !result.ips.is_empty() {
        requests.push(notify_arp(interface.index, name));
    }
    requests.push(set_up(format!("set {name} up"), interface.index));
    if let Subnet::Through(routes) = subnet {
        requests.extend(routes.iter().map(Route::add));
    }
    for route in routes(interface, result)? {
        requests.push(route.add());
    }
    let acts = requests.len();
    requests.extend(ipv6.iter().map(|ip| usable::ask(interface.index, *ip)));
    let mut answers = interface.inside.socket.ask(&requests);
    let usable = answers.split_off(acts).iter().all(usable::is_usable);
    answers.into_iter().try_for_each(|answer| answer.map(drop))?;
    if usable || detect && !is_detected(interface)? {
        return Ok(());
    }
    interface.inside.wait_until_usable(interface.index, name, &ipv6)
}

/// The result's routes as the kernel takes them: without a gateway of their own, through the address's, unless their
/// scope says that the destination is on the link.
fn routes(interface: &Interface<'_>, result: &CniResult) -> Result<Vec<Route>> {
    let gateways = Family::ALL
        .map(|family| result.ips.iter().filter_map(|ip| ip.gateway).find(|gw| Family::of(*gw) == family));
    let routes = result.routes.iter().map(|route| {
        let default = gateways[route.dst.family()];
        let default = default.filter(|_| route.scope.is_none_or(|scope| scope < SCOPE_LINK));
        if let Some(gw) = route.gw.filter(|gw| Family::of(*gw) != route.dst.family()) {
            return Err(Error::config(format!(
                "route {} has gateway {gw} of the other address family",
                route.dst
            )));
        }
        Ok(Route {
            gateway: route.gw.or(default),
            scope: route.scope.unwrap_or(SCOPE_GLOBAL),
            table: route.table,
            priority: route.priority,
            mtu: route.mtu,
            advmss: route.advmss,
            ..Route::new(route.dst, interface.index)
        })
    });
    routes.collect()
}

/// Waits until no address is tentative: false where nobody could answer, without a carrier.
fn is_detected(interface: &Interface<'_>) -> Result<bool> {
    let inside = interface.inside;
    let tentative = |addresses: &[Address]| addresses.iter().any(|a| a.tentative && !a.cidr.is_ipv4());
    let detected = inside.socket.ask_until(RTNLGRP_IPV6_IFADDR, DAD_LIMIT, || {
        let addresses = inside.addresses(interface.index)?;
        if let Some(address) = addresses.iter().find(|a| a.duplicate) {
            let text = format!("address {} is in use by another machine", address.cidr);
            return Err(Error::new(Code::KERNEL, text).because("IPv6 duplicate address detection failed"));
        }
        Ok((!tentative(&addresses)).then_some(()))
    })?;
    if detected.is_none() && inside.link(interface.name.as_str())?.is_operational() {
        let name = interface.name;
        let text = format!("an IPv6 address of {name} is still tentative after {DAD_LIMIT:?}");
        return Err(Error::new(Code::KERNEL, text));
    }
    Ok(detected.is_some())
}

/// Has the kernel tell the segment who has the interface's addresses now: a gratuitous ARP per IPv4 address, an
/// unsolicited neighbour advertisement per IPv6 address, so that nobody keeps sending to an earlier owner. The
/// interface needs `arp_notify` and `ndisc_notify`; its port must forward already.
///
/// # Errors
/// Code 100 when the kernel refuses.
pub fn announce(interface: &Interface<'_>, mac: cni_types::Mac) -> Result<()> {
    // Setting the address it has is what makes the kernel announce. A packet socket of our own would do as well, but
    // closing one waits for an RCU grace period, several times the duration of the whole ADD.
    interface.inside.set_mac(interface.index, mac)
}
