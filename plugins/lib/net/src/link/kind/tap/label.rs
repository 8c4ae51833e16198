//! Making a tap under a SELinux context. The kernel labels a tap with the context of the process that makes it
//! (`security/selinux/hooks.c`: the one for new sockets does not count), and lets nobody come back from another context
//! who may not: so a child process makes the tap, on the file that it has in common with us.

use std::fs;
use std::io;
use std::path::Path;

use cni_types::{Code, Error, Result};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

/// There when SELinux is on.
const ENFORCE: &str = "/sys/fs/selinux/enforce";
/// Our own context; writing changes it (`process { setcurrent dyntransition }`).
const CURRENT: &str = "/proc/thread-self/attr/current";

/// How the child says that it was refused the context; anything else is the errno of `act`.
const NO_CONTEXT: i32 = 255;

/// Runs `act` in a child process with this context and returns what it returned there.
///
/// # Errors
/// Code 2 when the kernel has no SELinux or refuses the context; code 100 when there is no child to be had.
pub(super) fn run_as(context: &str, act: impl FnOnce() -> io::Result<()>) -> Result<io::Result<()>> {
    let unsupported = |why: &str| {
        let msg = format!("cannot make a tap with selinuxContext {context:?}: {why}");
        Error::new(Code::UNSUPPORTED_FIELD, msg)
    };
    if !Path::new(ENFORCE).exists() {
        return Err(unsupported("SELinux is not on").because(format!("there is no {ENFORCE}")));
    }
    let failed = |cause: nix::Error| Error::new(Code::KERNEL, "cannot run a child process").because(cause);
    // SAFETY: the one other thread waits for this one, so the child finds no lock held; it ends with `_exit` and runs
    // no destructor.
    let child = match unsafe { fork() }.map_err(failed)? {
        ForkResult::Parent { child } => child,
        ForkResult::Child => {
            let status = match fs::write(CURRENT, context) {
                Ok(()) => act().err().map_or(0, |e| e.raw_os_error().unwrap_or(libc::EIO)),
                Err(_) => NO_CONTEXT,
            };
            // SAFETY: it takes any status.
            unsafe { libc::_exit(status) }
        }
    };
    match waitpid(child, None).map_err(failed)? {
        WaitStatus::Exited(_, 0) => Ok(Ok(())),
        WaitStatus::Exited(_, NO_CONTEXT) => Err(unsupported("SELinux refuses the context")
            .because("the policy must allow process { setcurrent dyntransition }; see `ausearch -m avc`")),
        WaitStatus::Exited(_, errno) => Ok(Err(io::Error::from_raw_os_error(errno))),
        _ => Ok(Err(io::Error::other("the child process that should make it was killed"))),
    }
}
