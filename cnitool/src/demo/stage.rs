//! The private world the demonstration plays in: a network and a mount namespace of its own, and without root a user
//! namespace around them. Nothing in it can be seen from outside, and all of it is gone when the process ends, however
//! that happens.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use cni_net::Netns;
use cni_types::{Code, Doing, Error, Result};
use nix::errno::Errno;
use nix::libc;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{Gid, Uid};

const NONE: Option<&str> = None;
/// Where namespaces get their names, as `ip netns` does it.
pub(super) const NETNS_DIR: &str = "/run/netns";
/// What belongs to the demonstration and not to what it shows.
pub(super) const OWN_DIR: &str = "/run/cnitool-demo";

/// Moves this process to namespaces of its own, with an empty `/run` and `/var/lib/cni`. The directories of `bin` stay
/// reachable; their new paths are returned.
///
/// # Errors
/// Code 8 when the kernel allows no namespaces, code 5 when a directory cannot be covered.
pub(super) fn enter(bin: &[PathBuf]) -> Result<Vec<PathBuf>> {
    leave_host()?;
    // Nothing that is mounted from here on may reach the machine's own mount table.
    on("/", mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE))?;
    let open = |dir: &PathBuf| OpenOptions::new().read(true).custom_flags(libc::O_PATH).open(dir);
    let kept = bin.iter().map(|dir| open(dir).doing(format!("cannot open {}", dir.display())));
    let kept: Vec<File> = kept.collect::<Result<_>>()?;
    cover("/run")?;
    // Where the machine has no such directory, none may be made: its parent is covered instead.
    cover(if Path::new("/var/lib/cni").is_dir() { "/var/lib/cni" } else { "/var/lib" })?;
    for dir in ["/var/lib/cni", NETNS_DIR, OWN_DIR] {
        fs::create_dir_all(dir).doing(format!("cannot create {dir}"))?;
    }
    let reachable = kept.iter().enumerate().map(|(i, dir)| {
        let there = Path::new(OWN_DIR).join(format!("bin{i}"));
        fs::create_dir(&there).doing(format!("cannot create {}", there.display()))?;
        let here = format!("/proc/self/fd/{}", dir.as_raw_fd());
        let bind = MsFlags::MS_BIND | MsFlags::MS_REC;
        on(&there.display().to_string(), mount(Some(here.as_str()), &there, NONE, bind, NONE))?;
        Ok(there)
    });
    reachable.collect()
}

fn leave_host() -> Result<()> {
    let (uid, gid) = (Uid::effective(), Gid::effective());
    let own = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS;
    match unshare(own) {
        Ok(()) => return Ok(()),
        Err(Errno::EPERM) => {}
        Err(e) => return Err(refused(e)),
    }
    unshare(own | CloneFlags::CLONE_NEWUSER).map_err(refused)?;
    // setgroups has to be given up before an unprivileged user may map a group (user_namespaces(7)).
    for (file, text) in [
        ("/proc/self/setgroups", "deny".to_owned()),
        ("/proc/self/uid_map", format!("0 {uid} 1")),
        ("/proc/self/gid_map", format!("0 {gid} 1")),
    ] {
        fs::write(file, text).doing(format!("cannot write {file}"))?;
    }
    Ok(())
}

fn refused(errno: Errno) -> Error {
    Error::new(Code::NETNS, "the kernel gives no namespaces of our own").because(format!(
        "{errno}; allow them (sysctl kernel.unprivileged_userns_clone=1, \
         kernel.apparmor_restrict_unprivileged_userns=0, user.max_user_namespaces) or run this as root"
    ))
}

fn on(target: &str, mounted: nix::Result<()>) -> Result<()> {
    mounted.map_err(io::Error::from).doing(format!("cannot mount over {target}"))
}

fn cover(dir: &str) -> Result<()> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    on(dir, mount(Some("tmpfs"), dir, Some("tmpfs"), flags, Some("mode=755")))
}

/// Makes a network namespace with a name: a container, or the world outside.
///
/// # Errors
/// Code 8 when the kernel refuses.
pub(crate) fn namespace(name: &str) -> Result<Netns> {
    let path = Path::new(NETNS_DIR).join(name);
    let failed = |e: io::Error| {
        Error::new(Code::NETNS, format!("cannot make network namespace {}", path.display())).because(e)
    };
    File::create(&path).map_err(failed)?;
    // A thread of its own: `unshare` moves one thread, and this one should stay.
    let made = std::thread::scope(|scope| {
        let make = || {
            unshare(CloneFlags::CLONE_NEWNET)?;
            mount(Some("/proc/thread-self/ns/net"), &path, NONE, MsFlags::MS_BIND, NONE)
        };
        scope.spawn(make).join().unwrap_or(Err(Errno::EAGAIN))
    });
    made.map_err(|e| failed(e.into()))?;
    Netns::open(&path)
}
