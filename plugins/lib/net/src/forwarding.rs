//! Whether the host passes packets of an address family on: one sysctl of the whole host each.

use std::fs::OpenOptions;

use cni_types::{Error, Family, Result};

use crate::sysctl;

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
pub fn ensure(family: Family) -> Result<()> {
    if is_on(family) { Ok(()) } else { sysctl::write(name(family), "1") }
}

/// CHECK: forwarding of the family is on.
///
/// # Errors
/// Code 103 naming the sysctl.
pub fn check(family: Family) -> Result<()> {
    if is_on(family) {
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
pub fn status() -> Result<()> {
    let can_be = |family| OpenOptions::new().write(true).open(sysctl::path(name(family))).is_ok();
    if Family::ALL.into_iter().any(|family| is_on(family) || can_be(family)) {
        return Ok(());
    }
    Err(Error::unavailable("the host forwards no packets, and that cannot be changed from here")
        .because("/proc/sys cannot be written: set net.ipv4.ip_forward or net.ipv6.conf.all.forwarding to 1"))
}

fn is_on(family: Family) -> bool {
    sysctl::read(name(family)).is_ok_and(|value| value != "0")
}
