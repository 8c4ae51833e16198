//! Trying things out where nothing can break.

use std::fs::File;

use cni_types::{Code, Error, Result};
use nix::sched::{CloneFlags, unshare};

use crate::netns::WayBack;
use crate::rtnl::Rtnl;

/// Runs `act` in a network namespace made for it and thrown away afterwards: STATUS asks the kernel for what ADD would
/// need by doing it.
///
/// # Errors
/// Code 100 when no namespace can be made, or what `act` returns.
pub fn in_fresh_netns<T>(act: impl FnOnce(&Rtnl) -> Result<T>) -> Result<T> {
    let failed =
        |e: &dyn std::fmt::Display| Error::new(Code::KERNEL, "cannot make a network namespace").because(e);
    let own = File::open("/proc/thread-self/ns/net").map_err(|e| failed(&e))?;
    unshare(CloneFlags::CLONE_NEWNET).map_err(|e| failed(&e))?;
    let _way_back = WayBack(own);
    act(&Rtnl::open()?)
}
