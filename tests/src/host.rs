//! A host of its own for every test.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

use crate::{Call, Conf, Container, Place, Snapshot, Suite, need, plugins, run};

/// A fresh host: network and mount namespace of the calling thread, of the threads it starts from now on, and of all
/// their children. `/run` and `/var/lib/cni` are empty file systems of its own. It is gone when the thread ends.
#[derive(Debug)]
pub struct Host {
    _private: (),
}

impl Host {
    /// Moves the calling thread to a fresh host, `lo` up.
    ///
    /// # Panics
    /// Without root.
    #[allow(clippy::new_without_default, reason = "it moves the thread: too much for a default")]
    pub fn new() -> Self {
        assert!(nix::unistd::geteuid().is_root(), "end-to-end tests need root (or `unshare -Urm make test`)");
        unshare(CloneFlags::CLONE_NEWNET).expect("unshare");
        let host = Self::on_this_network();
        mount_fresh("sysfs", "/sys");
        host
    }

    /// The VM itself as a host, with its network cards: hardware whose namespace dies comes back to this one. Tests
    /// that [need](crate::Need::Nics) cards share it, so one at a time.
    ///
    /// # Panics
    /// Outside the VM.
    pub fn of_the_vm() -> Self {
        assert!(
            std::env::var_os("CNI_TEST_IN_VM").is_some(),
            "the machine's own network is not a test's to change"
        );
        Self::on_this_network()
    }

    fn on_this_network() -> Self {
        // The kernel unshares the thread's file system context along with the mount namespace, so the other threads
        // of the process see nothing of this.
        unshare(CloneFlags::CLONE_NEWNS).expect("unshare");
        mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>).unwrap();
        if fs::create_dir_all("/var/lib/cni").is_err() {
            // Root of a user namespace may not make it on the machine.
            mount_fresh("tmpfs", "/var/lib");
            fs::create_dir("/var/lib/cni").unwrap();
        }
        for target in ["/run", "/var/lib/cni"] {
            mount_fresh("tmpfs", target);
        }
        fs::create_dir_all("/run/netns").unwrap();
        let host = Self::here();
        host.link_executables();
        host.run("ip link set lo up");
        host
    }

    /// Runs `body` on a fresh host of its own and returns what it returns: for tests that compare two hosts.
    pub fn fresh<T: Send>(body: impl FnOnce(&Self) -> T + Send) -> T {
        let name = need::test_name();
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name(name);
            thread.spawn_scoped(scope, || body(&Self::new())).unwrap().join().unwrap_or_else(|panic| {
                std::panic::resume_unwind(panic);
            })
        })
    }

    /// The host that the calling thread is on.
    pub(crate) fn here() -> Self {
        Self { _private: () }
    }

    /// Gives the host a copy of the machine's `/etc`, without `/etc/cni`, that it may write to.
    pub fn own_etc(&self) {
        self.sh("mkdir /run/etc && cp -a /etc/. /run/etc && mount --bind /run/etc /etc && rm -rf /etc/cni");
    }

    /// Has STATUS try out everything again, as after a boot.
    pub fn forget_status(&self) {
        self.run("rm -rf /run/cni/status");
    }

    /// A container: a new namespace `/run/netns/<id>`, `lo` down, as a runtime makes it.
    pub fn container(&self, id: &str) -> Container {
        Container::new(id)
    }

    /// A pair between the host and a container, both ends up: `outside` here, `inside` there with these addresses.
    pub fn pair(&self, container: &Container, outside: &str, inside: &str, addresses: &[&str]) {
        let id = container.id();
        self.run(&format!("ip link add {outside} type veth peer name {inside} netns {id}"));
        self.run(&format!("ip link set {outside} up"));
        container.run(&format!("ip link set {inside} up"));
        for address in addresses {
            let nodad = if address.contains(':') { "nodad" } else { "" };
            container.run(&format!("ip address add {address} dev {inside} {nodad}"));
        }
    }

    /// Another machine in the host's network 198.51.100.0/24 and 2001:db8:51::/64: the host is `.1`, this is `.2`. It
    /// has no route to any container network, so it answers only who was masqueraded.
    pub fn outside(&self) -> Container {
        let outside = Container::new("outside");
        self.run("ip link add uplink type veth peer name wan netns outside");
        for (address, other) in
            [("198.51.100.1/24", "198.51.100.2/24"), ("2001:db8:51::1/64", "2001:db8:51::2/64")]
        {
            self.run(&format!("ip address add {address} dev uplink nodad"));
            outside.run(&format!("ip address add {other} dev wan nodad"));
        }
        self.run("ip link set uplink up");
        outside.run("ip link set wan up");
        outside
    }

    /// A call of the plugin under test.
    pub fn plugin(&self, name: &str) -> Call {
        Call::new(Suite::Ours, name)
    }

    /// A call of Debian's build of the reference plugin.
    pub fn reference(&self, name: &str) -> Call {
        Call::new(Suite::Reference, name)
    }

    /// A call of one suite's plugin.
    pub fn call(&self, suite: Suite, name: &str) -> Call {
        Call::new(suite, name)
    }

    /// The host after one container came and went: what stays for good (the bridge, empty tables, directories) is
    /// there, so any later difference is a leftover.
    pub fn after_one_container(&self, plugin: &str, conf: &Conf) -> Snapshot {
        let first = self.container("first");
        self.plugin(plugin).add(conf, &first, "eth0").result();
        self.plugin(plugin).del(conf, &first, "eth0").done();
        first.remove_netns();
        self.snapshot()
    }

    /// Everything a plugin could leave on the host.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::take(self)
    }

    /// Replaces plugin `name` of the suite under test by the executable text `script`.
    pub(crate) fn replace_plugin(&self, name: &str, script: &str) {
        let path = Path::new(Suite::Ours.dir()).join(name);
        fs::remove_file(&path).ok();
        // Written by another process: a descriptor of ours open for writing could be inherited by a child another
        // test forks at this moment, and the exec would fail with ETXTBSY.
        let write = format!("cat > {0} && chmod 755 {0}", path.display());
        let done = run(self.command("sh").args(["-c", &write]), script.as_bytes());
        assert!(done.status.success(), "{}", done.stderr);
    }

    fn link_executables(&self) {
        for suite in [Suite::Ours, Suite::Reference] {
            fs::create_dir_all(suite.dir()).unwrap();
            for name in plugins() {
                symlink(suite.source().join(&name), Path::new(suite.dir()).join(name)).unwrap();
            }
        }
    }
}

fn mount_fresh(kind: &str, target: &str) {
    mount(Some(kind), target, Some(kind), MsFlags::empty(), None::<&str>)
        .unwrap_or_else(|e| panic!("mount {kind} on {target}: {e}"));
}

impl Place for Host {
    fn command(&self, program: &str) -> std::process::Command {
        std::process::Command::new(program)
    }
}
