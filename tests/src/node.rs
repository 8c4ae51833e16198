//! Hosts that a test visits: for what takes more than one.

use std::fs::File;
use std::os::fd::AsRawFd;

use nix::sched::{CloneFlags, setns, unshare};

use crate::{Host, Place, need};

/// A [`Host`] that lives on while the test's thread is somewhere else.
#[derive(Debug)]
pub struct Node {
    net: File,
    mounts: File,
}

impl Node {
    /// A fresh host.
    pub fn new() -> Self {
        let own = |kind: &str| File::open(format!("/proc/thread-self/ns/{kind}")).unwrap();
        Host::fresh(|_| Self { net: own("net"), mounts: own("mnt") })
    }

    /// Runs `act` on that host, on a thread of its own. A socket it opens stays there, wherever it is used afterwards;
    /// containers it makes are found there only.
    pub fn visit<T: Send>(&self, act: impl FnOnce(&Host) -> T + Send) -> T {
        let visit = || {
            // Threads of a process share root and working directory, which a mount namespace cannot be entered with.
            unshare(CloneFlags::CLONE_FS).expect("unshare");
            setns(&self.mounts, CloneFlags::CLONE_NEWNS).expect("setns");
            setns(&self.net, CloneFlags::CLONE_NEWNET).expect("setns");
            act(&Host::here())
        };
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name(need::test_name());
            let visitor = thread.spawn_scoped(scope, visit).unwrap();
            visitor.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// A cable between the nodes: a link `name` on each, up, with an address of each family for each node.
    pub fn connect(&self, other: &Self, name: &str, addresses: [&[&str]; 2]) {
        let far_end = format!("/proc/{}/fd/{}", std::process::id(), other.net.as_raw_fd());
        self.visit(|host| {
            host.run(&format!("ip link add {name} type veth peer name {name} netns {far_end}"))
        });
        for (node, addresses) in [self, other].into_iter().zip(addresses) {
            node.visit(|host| {
                for address in addresses {
                    host.run(&format!("ip address add {address} dev {name} nodad"));
                }
                // What is forwarded is asked for from the link-local address, which duplicate detection would keep from
                // use for a second.
                host.run(&format!("sysctl -q -w net.ipv6.conf.{name}.accept_dad=0"));
                host.run(&format!("ip link set {name} up"));
            });
        }
    }
}

impl Default for Node {
    fn default() -> Self {
        Self::new()
    }
}
