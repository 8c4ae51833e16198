//! Where it is measured: a mount namespace of the benchmark's own, and network namespaces in it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::thread;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, setns, unshare};

const NETNS: &str = "/run/netns";

/// Takes this process to a mount namespace where nothing else is: plugins write to `/run` and `/var/lib/cni`, and the
/// namespaces of others are not held on to.
pub(crate) fn isolate() {
    unshare(CloneFlags::CLONE_NEWNS).expect("a mount namespace of our own needs root");
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>).unwrap();
    while umount2(NETNS, MntFlags::MNT_DETACH).is_ok() {}
    for directory in ["/run", "/var/lib/cni"] {
        fs::create_dir_all(directory).unwrap();
        mount(Some("tmpfs"), directory, Some("tmpfs"), MsFlags::empty(), None::<&str>).unwrap();
    }
    fs::create_dir_all(NETNS).unwrap();
    fs::create_dir_all("/run/lock").unwrap();
}

/// A network namespace: a host, or a container. It goes when this is dropped.
pub(crate) struct Place {
    path: PathBuf,
    file: File,
}

impl Place {
    /// With nothing but `lo`, which is down.
    pub(crate) fn new(name: &str) -> Self {
        let path = Path::new(NETNS).join(name);
        File::create(&path).unwrap();
        thread::scope(|scope| {
            let make = || {
                unshare(CloneFlags::CLONE_NEWNET).unwrap();
                let own = Some("/proc/thread-self/ns/net");
                mount(own, &path, None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();
            };
            scope.spawn(make).join().unwrap();
        });
        Self { file: File::open(&path).unwrap(), path }
    }

    /// A host: `lo` is up, and packets are forwarded.
    pub(crate) fn host(name: &str) -> Self {
        let host = Self::new(name);
        host.enter(|| {
            fs::write("/proc/sys/net/ipv4/ip_forward", "1").unwrap();
            sh("ip link set lo up");
        });
        host
    }

    pub(crate) fn path(&self) -> &str {
        self.path.to_str().unwrap()
    }

    /// Takes this thread there, for good.
    pub(crate) fn go(&self) {
        setns(&self.file, CloneFlags::CLONE_NEWNET).unwrap();
    }

    /// Runs `act` there, on a thread that ends there.
    pub(crate) fn enter<T: Send>(&self, act: impl FnOnce() -> T + Send) -> T {
        thread::scope(|scope| {
            scope
                .spawn(|| {
                    self.go();
                    act()
                })
                .join()
                .unwrap()
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = umount2(&self.path, MntFlags::MNT_DETACH);
        let _ = fs::remove_file(&self.path);
    }
}

/// Runs a line of shell in the namespace of this thread; it has to succeed.
pub(crate) fn sh(line: &str) {
    let done = std::process::Command::new("sh").args(["-ec", line]).output().unwrap();
    assert!(done.status.success(), "{line}: {}", String::from_utf8_lossy(&done.stderr));
}
