//! Trying things out where nothing can break.

use std::fs::File;
use std::io;

use cni_types::{Code, Error, Result};
use nix::sched::{CloneFlags, unshare};

use crate::netns::WayBack;
use crate::rtnl::Rtnl;

/// STATUS asks the kernel for what ADD would need by doing it, in a network namespace made for it and thrown away
/// afterwards. `cannot` says what the kernel cannot do when `act` fails, such as "make VRFs".
///
/// # Errors
/// Code 50 with that, and what the kernel refused.
pub fn try_out<T>(cannot: &str, act: impl FnOnce(&Rtnl) -> Result<T>) -> Result<()> {
    in_fresh_netns(act)
        .map(drop)
        .map_err(|e| Error { code: Code::UNAVAILABLE, ..e }.doing(format!("the kernel cannot {cannot}")))
}

fn in_fresh_netns<T>(act: impl FnOnce(&Rtnl) -> Result<T>) -> Result<T> {
    let failed =
        |e: io::Error| Error { code: Code::KERNEL, ..Error::io("cannot make a network namespace", &e) };
    let own = File::open("/proc/thread-self/ns/net").map_err(failed)?;
    unshare(CloneFlags::CLONE_NEWNET).map_err(|errno| failed(errno.into()))?;
    let _way_back = WayBack(own);
    act(&Rtnl::open()?)
}
