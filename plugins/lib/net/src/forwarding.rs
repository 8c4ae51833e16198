//! Whether the host passes packets of an address family on: one sysctl of the whole host each, asked for by netlink
//! (`RTM_GETNETCONF`).

use std::fs::OpenOptions;

use cni_netlink::attr::{Attrs, find, host32};
use cni_netlink::{Refused, Request};
use cni_types::{Error, Family, Result};

use crate::rtnl::Rtnl;
use crate::sysctl;

/// `NETCONFA_IFINDEX`, and its value for all links together; `NETCONFA_FORWARDING` (`linux/netconf.h`)
const IFINDEX: u16 = 1;
const ALL: u32 = u32::MAX;
const FORWARDING: u16 = 2;
/// Size of `struct netconfmsg` with its padding.
const HEADER: usize = 4;

const fn name(family: Family) -> &'static str {
    match family {
        Family::V4 => "ipv4/ip_forward",
        Family::V6 => "ipv6/conf/all/forwarding",
    }
}

/// Switches forwarding of a family on. Where it is on it is not written again, so that a read-only `/proc/sys` with the
/// right value works.
///
/// # Errors
/// Code 100 with the sysctl's path and the errno.
pub fn ensure(host: &Rtnl, family: Family) -> Result<()> {
    if is_on(host, family) { Ok(()) } else { sysctl::write(name(family), "1") }
}

/// CHECK: forwarding of the family is on.
///
/// # Errors
/// Code 103 naming the sysctl.
pub fn check(host: &Rtnl, family: Family) -> Result<()> {
    if is_on(host, family) {
        return Ok(());
    }
    let sysctl = name(family).replace('/', ".");
    Err(Error::check(format!("the host does not forward packets: net.{sysctl} is off"))
        .because(format!("switch it on: sysctl -w net.{sysctl}=1")))
}

/// STATUS, which does not know the families: one of them at least is forwarded, or can be.
///
/// # Errors
/// Code 50 naming both sysctls.
pub fn status(host: &Rtnl) -> Result<()> {
    let can_be = |family| OpenOptions::new().write(true).open(sysctl::path(name(family))).is_ok();
    if Family::ALL.into_iter().any(|family| is_on(host, family) || can_be(family)) {
        return Ok(());
    }
    Err(Error::unavailable("the host forwards no packets, and that cannot be changed from here")
        .because("/proc/sys cannot be written: set net.ipv4.ip_forward or net.ipv6.conf.all.forwarding to 1"))
}

/// A kernel that does not answer may still have the file.
fn is_on(host: &Rtnl, family: Family) -> bool {
    let told = ask(host, family).ok().flatten();
    told.unwrap_or_else(|| sysctl::read(name(family)).is_ok_and(|value| value != "0"))
}

fn ask(host: &Rtnl, family: Family) -> std::result::Result<Option<bool>, Refused> {
    let mut body = Attrs::behind(&[family.number(), 0, 0, 0]);
    body.host32(IFINDEX, ALL);
    let request = Request::new("ask whether the host forwards packets", libc::RTM_GETNETCONF, 0, body);
    let answers = host.socket.look_up(&request)?;
    let value = answers.iter().find_map(|conf| conf.get(HEADER..).and_then(|all| find(all, FORWARDING)));
    Ok(value.and_then(host32).map(|value| value != 0))
}
