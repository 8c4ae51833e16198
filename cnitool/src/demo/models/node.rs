//! A node: a namespace on the wire, with books of its own.

use std::fs::{self, File};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::thread;

use cni_net::bridge::{self, NewBridge};
use cni_net::{Link, Netns, Rtnl, veth};
use cni_types::{AttachmentId, Cidr, Code, ContainerId, Doing, Error, IfName, NetworkName, Result};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};

use crate::demo::stage;

/// The node's end of the wire.
pub(super) const UPLINK: &str = "uplink";
/// What a node has for itself: the plugins' and the runtime's books, and flannel's.
const OWN: [&str; 3] = ["/var/lib/cni", "/run/cni", "/run/flannel"];

pub(super) struct Node {
    /// 1 and 2.
    pub(super) number: u8,
    pub(super) netns: Netns,
    mounts: File,
    /// The namespace of its pod.
    pub(super) pod: Netns,
}

impl Node {
    /// Its address on the wire, for documentation only (RFC 5737).
    pub(super) fn address(&self) -> Ipv4Addr {
        Ipv4Addr::new(192, 0, 2, self.number)
    }

    /// Its part of the cluster's network.
    pub(super) fn subnet(&self, host: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, 244, self.number, host)
    }

    /// Runs `act` on the node, on a thread of its own. A socket it opens stays there.
    ///
    /// # Errors
    /// Code 8 when the kernel refuses to go there.
    pub(super) fn visit<T: Send>(&self, act: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        let visit = || {
            // Threads of a process share root and working directory, which a mount namespace cannot be entered with.
            unshare(CloneFlags::CLONE_FS).map_err(io::Error::from).doing(GOING)?;
            setns(&self.mounts, CloneFlags::CLONE_NEWNS).map_err(io::Error::from).doing(GOING)?;
            self.netns.enter(act)?
        };
        thread::scope(|scope| {
            let visited = scope.spawn(visit).join();
            visited.unwrap_or_else(|_| Err(Error::new(Code::INTERNAL, "a visit to a node ended early")))
        })
    }

    /// Its end of the wire.
    ///
    /// # Errors
    /// Code 100 when the kernel refuses to say.
    pub(super) fn uplink(&self) -> Result<Link> {
        Rtnl::open_in(&self.netns)?.link(UPLINK)
    }
}

const GOING: &str = "cannot go to a node";

/// Both nodes, each with a pod to be, on a switch in this process's namespace.
///
/// # Errors
/// Code 8 or 100 for what the kernel refused.
pub(super) fn both() -> Result<[Node; 2]> {
    let host = Rtnl::open()?;
    let switch =
        bridge::ensure(&host, &IfName::new("switch")?, None, &NewBridge { mtu: 0, vlan_filtering: false })?;
    for dir in OWN {
        fs::create_dir_all(dir).doing(format!("cannot create {dir}"))?;
    }
    // Names of namespaces are seen by those whose mounts are copied later.
    let spaces = [1, 2]
        .map(|n| Ok((n, stage::namespace(&format!("node-{n}"))?, stage::namespace(&format!("pod-{n}"))?)));
    let [one, two] = spaces;
    let make = |space: Result<(u8, Netns, Netns)>| {
        let (number, netns, pod) = space?;
        let node = Node { number, netns, mounts: mounts()?, pod };
        cable(&host, &switch, &node).map(|()| node)
    };
    Ok([make(one)?, make(two)?])
}

/// A mount namespace with empty books.
fn mounts() -> Result<File> {
    let make = || -> io::Result<File> {
        unshare(CloneFlags::CLONE_FS | CloneFlags::CLONE_NEWNS)?;
        for dir in OWN {
            mount(Some("tmpfs"), Path::new(dir), Some("tmpfs"), MsFlags::empty(), None::<&str>)?;
        }
        File::open("/proc/thread-self/ns/mnt")
    };
    let made = thread::scope(|scope| scope.spawn(make).join());
    made.unwrap_or_else(|_| Err(io::Error::other("its thread ended early")))
        .doing("cannot give a node books of its own")
}

fn cable(host: &Rtnl, switch: &Link, node: &Node) -> Result<()> {
    let inside = Rtnl::open_in(&node.netns)?;
    let id = AttachmentId {
        network: NetworkName::new("wire")?,
        container_id: ContainerId::new(&format!("node-{}", node.number))?,
        ifname: IfName::new(UPLINK)?,
    };
    let pair = veth::NewPair { master: Some(switch.index), ..veth::NewPair::default() };
    veth::create(host, &inside, &node.netns, &id, &pair)?;
    let uplink = inside.link(UPLINK)?;
    inside.set_flags(&uplink, cni_net::IFF_UP, cni_net::IFF_UP)?;
    let lo = inside.link("lo")?;
    inside.set_flags(&lo, cni_net::IFF_UP, cni_net::IFF_UP)?;
    let address = Cidr::new(IpAddr::V4(node.address()), 24);
    let address = address.ok_or_else(|| Error::new(Code::INTERNAL, "the node's address is none"))?;
    inside.ensure_address(uplink.index, UPLINK, address)
}
