//! What a test needs beyond root, and what happens where it is missing: a test that this kernel cannot run is sent to
//! the VM; any other missing thing is a skip with its reason, and a failure under `CNI_TEST_STRICT=1`.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use nix::sched::{CloneFlags, unshare};

use crate::{ANCHOR, Suite};

const RELEASE_TOOLS: [&str; 9] =
    ["cargo", "dpkg-deb", "git", "jq", "libdeflate-gzip", "lowdown", "rpmbuild", "xz", "zstd"];

/// A thing not every machine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// The kernel's bridge can filter VLANs.
    BridgeVlan,
    /// The packet filter can see what stays within a bridge.
    BridgeNetfilter,
    /// The kernel has dummy links.
    Dummy,
    /// The executables of firewalld and of the message bus.
    Firewalld,
    /// The executable `iptables` and its relatives.
    Iptables,
    /// The kernel has ipvlan links.
    Ipvlan,
    /// The kernel has the tables of `iptables-legacy`.
    LegacyIptables,
    /// The DHCP server `dnsmasq`.
    Dnsmasq,
    /// The DHCP server `kea-dhcp4`.
    Kea,
    /// The executable `tcpdump`.
    Tcpdump,
    /// Network cards of the test's own: those of the VM.
    Nics,
    /// What `make release` needs beyond a shell.
    ReleaseTools,
    /// The executables `setfattr` and `getfattr`.
    Setfattr,
    /// The executables of Prometheus.
    Prometheus,
    /// The executable `strace`.
    Strace,
    /// Debian's build of the reference plugins.
    Reference,
    /// `make dist` has filled `bin/`.
    Dist,
    /// `make dist ONE=1 BIN=bin/one` has filled `bin/one`.
    DistOne,
    /// There are other users than root: not so in a user namespace that maps one id.
    UserIds,
    /// The kernel has VLAN links.
    Vlan,
    /// The kernel has VRFs.
    Vrf,
}

impl Need {
    /// Whether this machine has it.
    pub fn is_met(self) -> bool {
        match self {
            Self::BridgeVlan | Self::Dummy | Self::Ipvlan | Self::LegacyIptables | Self::Vlan | Self::Vrf => {
                self.probed()
            }
            Self::BridgeNetfilter => Path::new("/proc/sys/net/bridge/bridge-nf-call-iptables").exists(),
            Self::Firewalld => is_installed("firewalld") && is_installed("dbus-daemon"),
            Self::Iptables => is_installed("iptables-save") && is_installed("ip6tables-restore"),
            Self::Dnsmasq => is_installed("dnsmasq"),
            Self::Kea => is_installed("kea-dhcp4"),
            Self::Tcpdump => is_installed("tcpdump"),
            // Those of a machine are in use.
            Self::Nics => is_set("CNI_TEST_IN_VM") && Path::new("/sys/bus/pci/drivers/e1000").exists(),
            Self::ReleaseTools => RELEASE_TOOLS.into_iter().all(is_installed),
            Self::Setfattr => is_installed("setfattr"),
            Self::Prometheus => is_installed("prometheus") && is_installed("promtool"),
            Self::Strace => is_installed("strace"),
            Self::Reference => Suite::Reference.source().join("bridge").exists(),
            Self::UserIds => user_ids() > 1_000_000,
            Self::Dist => Path::new(ANCHOR).join("bin/bridge").exists(),
            Self::DistOne => Path::new(ANCHOR).join("bin/one/bridge").exists(),
        }
    }

    /// Whether the kernel does it, tried once by each test process.
    fn probed(self) -> bool {
        static FOUND: Mutex<BTreeMap<Need, bool>> = Mutex::new(BTreeMap::new());
        let script = match self {
            Self::BridgeVlan => "ip link add name probe type bridge vlan_filtering 1",
            Self::Dummy => "ip link add probe type dummy",
            Self::Ipvlan => "ip link add on type veth && ip link add link on probe type ipvlan",
            Self::LegacyIptables => "iptables-legacy -t nat -S",
            Self::Vlan => "ip link add on type veth && ip link add link on probe type vlan id 5",
            Self::Vrf => "ip link add probe type vrf table 5",
            _ => return false,
        };
        *FOUND.lock().unwrap().entry(self).or_insert_with(|| in_a_fresh_namespace(script))
    }

    /// What to say about it, and what to do.
    const fn text(self) -> &'static str {
        match self {
            Self::BridgeVlan => "VLAN filtering in the kernel's bridge (CONFIG_BRIDGE_VLAN_FILTERING)",
            Self::BridgeNetfilter => "br_netfilter in the kernel (CONFIG_BRIDGE_NETFILTER)",
            Self::Dummy => "dummy links in the kernel (CONFIG_DUMMY)",
            Self::Firewalld => "firewalld (apt-get install firewalld dbus)",
            Self::Iptables => "iptables (apt-get install iptables)",
            Self::Ipvlan => "ipvlan links in the kernel (CONFIG_IPVLAN)",
            Self::LegacyIptables => "the legacy iptables in the kernel (CONFIG_IP_NF_NAT)",
            Self::Dnsmasq => "dnsmasq (apt-get install dnsmasq-base)",
            Self::Kea => "Kea (apt-get install kea-dhcp4-server)",
            Self::Tcpdump => "tcpdump (apt-get install tcpdump)",
            Self::Nics => "network cards that no test can do harm to",
            Self::ReleaseTools => {
                "the tools of make release (apt-get install dpkg git jq libdeflate-tools lowdown rpm xz-utils zstd)"
            }
            Self::Setfattr => "setfattr (apt-get install attr)",
            Self::Prometheus => "Prometheus (apt-get install prometheus)",
            Self::Strace => "strace (apt-get install strace)",
            Self::Reference => "the reference plugins (apt-get install containernetworking-plugins)",
            Self::Dist => "the static executables in bin/ (make dist)",
            Self::DistOne => "the plugins as one file in bin/one/ (make dist ONE=1 BIN=bin/one)",
            Self::UserIds => "users beside root (run as root)",
            Self::Vlan => "VLAN links in the kernel (CONFIG_VLAN_8021Q)",
            Self::Vrf => "VRFs in the kernel (CONFIG_NET_VRF)",
        }
    }

    const fn is_of_the_kernel(self) -> bool {
        matches!(
            self,
            Self::BridgeVlan
                | Self::Dummy
                | Self::Ipvlan
                | Self::LegacyIptables
                | Self::Nics
                | Self::Vlan
                | Self::Vrf
        )
    }
}

/// Whether the running test has to end here because a need is not met; says so, and queues it for the VM where that
/// helps. Used through [`needs!`](crate::needs).
///
/// # Panics
/// Under `CNI_TEST_STRICT=1` where the VM cannot help, and inside the VM.
pub fn lacks(needs: &[Need]) -> bool {
    let missing: Vec<_> = needs.iter().copied().filter(|need| !need.is_met()).collect();
    if missing.is_empty() {
        return false;
    }
    let test = test_name();
    let text = missing.iter().map(|need| need.text()).collect::<Vec<_>>().join(", ");
    assert!(!is_set("CNI_TEST_IN_VM"), "{test} needs {text}, and the VM lacks it too");
    let queue = std::env::var_os("CNI_TEST_VM_QUEUE");
    if let (Some(queue), true) = (queue, missing.iter().all(|need| need.is_of_the_kernel())) {
        let line = format!("{}\t{test}\n", std::env::current_exe().unwrap().display());
        let mut file = OpenOptions::new().create(true).append(true).open(queue).unwrap();
        file.write_all(line.as_bytes()).unwrap();
        println!("sent to the VM: {test} needs {text}");
    } else {
        assert!(!is_set("CNI_TEST_STRICT"), "{test} needs {text}");
        println!("skipped: {test} needs {text}");
    }
    true
}

/// Ends a test that needs what this machine lacks: `needs!(BridgeVlan, Strace);` first in the test.
#[macro_export]
macro_rules! needs {
    ($($need:ident),+) => {
        if $crate::lacks(&[$($crate::Need::$need),+]) {
            return;
        }
    };
}

/// The running test's path, as the test harness names its thread.
pub(crate) fn test_name() -> String {
    std::thread::current().name().expect("the test harness names the thread").to_owned()
}

fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|v| !v.is_empty() && v != "0")
}

/// How many user ids there are, from `/proc/self/uid_map` (user_namespaces(7)).
fn user_ids() -> u64 {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap();
    map.lines().filter_map(|line| line.split_whitespace().nth(2)?.parse::<u64>().ok()).sum()
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).exists())
}

/// Whether the shell script succeeds in a network namespace that is gone afterwards.
fn in_a_fresh_namespace(script: &str) -> bool {
    std::thread::scope(|scope| {
        let tried = scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).expect("unshare");
            let mut command = Command::new("sh");
            command.args(["-c", script]).stdout(Stdio::null()).stderr(Stdio::null());
            command.status().is_ok_and(|status| status.success())
        });
        tried.join().unwrap()
    })
}
