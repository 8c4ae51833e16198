//! A container as the plugins see it: an id and a named network namespace.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, setns, unshare};

use crate::Place;

/// A container of a [`crate::Host`].
#[derive(Debug, Clone)]
pub struct Container {
    id: String,
}

impl Container {
    pub(crate) fn new(id: &str) -> Self {
        let path = Path::new("/run/netns").join(id);
        File::create_new(&path).unwrap();
        std::thread::scope(|scope| {
            // A namespace is made by entering it, so a thread that ends right after does it; it shares the host's
            // mount namespace.
            scope.spawn(|| {
                unshare(CloneFlags::CLONE_NEWNET).expect("unshare");
                let own = Some("/proc/thread-self/ns/net");
                mount(own, &path, None::<&str>, MsFlags::MS_BIND, None::<&str>).expect("bind mount");
            });
        });
        Self { id: id.to_owned() }
    }

    /// Its id: what `CNI_CONTAINERID` will be.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its namespace: what `CNI_NETNS` will be.
    pub fn netns(&self) -> PathBuf {
        Path::new("/run/netns").join(&self.id)
    }

    /// Runs `act` on a thread inside the namespace. A socket it opens stays there, wherever it is used afterwards.
    pub fn enter<T: Send>(&self, act: impl FnOnce() -> T + Send) -> T {
        let inside = || {
            setns(File::open(self.netns()).unwrap(), CloneFlags::CLONE_NEWNET).expect("setns");
            act()
        };
        std::thread::scope(|scope| {
            scope.spawn(inside).join().unwrap_or_else(|p| std::panic::resume_unwind(p))
        })
    }

    /// The container dies: its namespace goes, and with it every interface in it.
    pub fn remove_netns(&self) {
        self.unmount_netns();
        std::fs::remove_file(self.netns()).unwrap();
    }

    /// The namespace goes but its file stays, as runtimes leave it when they are killed between the two.
    pub fn unmount_netns(&self) {
        umount2(&self.netns(), MntFlags::MNT_DETACH).unwrap();
    }
}

impl Place for Container {
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net={}", self.netns().display())).arg(program);
        command
    }
}
