//! Trying things out where nothing can break.

use cni_types::{Code, Error, Result};
use nix::sched::{CloneFlags, unshare};

use crate::netns::elsewhere;
use crate::rtnl::Rtnl;

/// STATUS asks the kernel for what ADD would need by doing it, in a network namespace made for it and thrown away
/// afterwards. `cannot` says what the kernel cannot do when `act` fails, such as "make VRFs". With that and `with`, in
/// which is all that the answer depends on, the kernel is asked once ([`cni_skel::ask_once`]).
///
/// # Errors
/// Code 50 with that, and what the kernel refused.
pub fn try_out<T: Send>(cannot: &str, with: &str, act: impl FnOnce(&Rtnl) -> Result<T> + Send) -> Result<()> {
    cni_skel::ask_once(&format!("{cannot} {with}"), "", || {
        in_fresh_netns(act)
            .map(drop)
            .map_err(|e| e.with_code(Code::UNAVAILABLE).doing(format!("the kernel cannot {cannot}")))
    })
}

fn in_fresh_netns<T: Send>(act: impl FnOnce(&Rtnl) -> Result<T> + Send) -> Result<T> {
    let made = elsewhere(|| unshare(CloneFlags::CLONE_NEWNET), || act(&Rtnl::open()?));
    made.map_err(|e| Error::io("cannot make a network namespace", &e).with_code(Code::KERNEL))?
}
