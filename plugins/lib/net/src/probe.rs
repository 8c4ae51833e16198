//! Trying things out where nothing can break.

use std::fs::File;
use std::io;

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
        |e: io::Error| Error { code: Code::KERNEL, ..Error::io("cannot make a network namespace", &e) };
    let own = File::open("/proc/thread-self/ns/net").map_err(failed)?;
    unshare(CloneFlags::CLONE_NEWNET).map_err(|errno| failed(errno.into()))?;
    let _way_back = WayBack(own);
    act(&Rtnl::open()?)
}
