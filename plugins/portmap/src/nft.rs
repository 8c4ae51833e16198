//! The nftables backend: `table inet cni_portmap`, spoken natively.
//!
//! ```text
//! map ports4        { inet_proto . inet_service : ipv4_addr . inet_service }
//! map ranges4       { inet_proto . inet_service : ipv4_addr; flags interval }      the port is kept
//! map host_ports4   { ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service }
//! map host_ranges4  …                                                              and the same for IPv6
//! set sources4_24   { ipv4_addr . ipv4_addr }                                      container . network it is asked from
//! prerouting, output   fib daddr type local jump hostports
//! hostports            ip6 daddr ::1 return; jump conditional; jump plain
//! plain                dnat ip to ip daddr . meta l4proto . th dport map @host_ports4 …
//! postrouting          ct status dnat ip daddr . ip saddr & 255.255.255.0 @sources4_24 masquerade …
//! localnet             iifname != "lo" ip daddr 127.0.0.0/8 drop
//! ```
//!
//! An attachment is a few elements, whose comments name it and how many there are. Keys are unique, so a port has one
//! owner; ADD looks before it writes, under the ruleset's generation, and names who holds the port.

mod element;
mod held;
mod layout;
mod port;
mod source;

use std::net::{IpAddr, SocketAddr};

use cni_filter::Filter;
use cni_filter::nft::{Batch, Chain, Family, Socket, Table};
use cni_types::{AttachmentId, Cidr, Code, Error, NetworkName, Result, Stale};

use crate::condition::Class;
use crate::conf::Conf;
use crate::flows::Gone;
use crate::mapping::Ports;
use element::{Held, owner_of};

const TABLE: Table<'_> = Table { family: Family::Inet, name: "cni_portmap" };
const POSTROUTING: Chain<'_> = Chain { table: TABLE, name: "postrouting" };

/// What is to be there for one family of an attachment.
pub(crate) struct Plan {
    container: IpAddr,
    ports: Vec<(Ports, SocketAddr)>,
    sources: Vec<Cidr>,
    class: Option<Class>,
}

impl Plan {
    /// The plans of the families the container has addresses of.
    ///
    /// # Errors
    /// Code 7 for conditions that are not understood.
    pub(crate) fn all(conf: &Conf, targets: &[Option<Cidr>; 2]) -> Result<Vec<Self>> {
        let mut plans = Vec::new();
        for target in targets.iter().flatten() {
            let ports = port::plan(&conf.mappings, target.ip());
            let class = Class::read(conf.conditions(target.is_ipv4()), target.is_ipv4())?;
            if !ports.is_empty() {
                plans.push(Self { container: target.ip(), ports, sources: sources(conf, *target), class });
            }
        }
        Ok(plans)
    }

    fn ipv4(&self) -> bool {
        self.container.is_ipv4()
    }

    fn class_name(&self) -> &str {
        self.class.as_ref().map_or("", |class| &class.name)
    }
}

/// The networks whose packets are masqueraded: the container's own, since its neighbours would get the answer straight
/// from it, with an address they did not ask; and the host's loopback.
fn sources(conf: &Conf, target: Cidr) -> Vec<Cidr> {
    let any: IpAddr = if target.is_ipv4() { [0; 4].into() } else { [0; 16].into() };
    let mut sources = Vec::new();
    if conf.snat && conf.masquerade_all {
        sources.extend(Cidr::new(any, 0));
    } else if conf.snat {
        sources.push(target.masked());
        if target.is_ipv4() {
            sources.extend(Cidr::new([127, 0, 0, 0].into(), 8));
        }
    }
    sources
}

/// Makes the mappings: one batch for both families. What is there already stays.
///
/// # Errors
/// Code 11 naming the holder when a port is taken, code 101 when the kernel refuses.
pub(crate) fn add(socket: &Socket, id: &AttachmentId, plans: &[Plan]) -> Result<()> {
    let count = plans.iter().map(|plan| plan.ports.len() + plan.sources.len()).sum();
    let comment = element::comment(id, count);
    socket.transact(|socket| {
        let sets = layout::sets(socket)?;
        let mut batch = layout::ensure(socket, &sets, plans)?;
        for plan in plans {
            let held = held::of_plan(socket, &sets, plan)?;
            element::write(&mut batch, id, &comment, plan, &held)?;
        }
        Ok(batch)
    })
}

/// Only the protection of 127.0.0.0/8, for mappings that iptables carries.
///
/// # Errors
/// Code 101 when the kernel refuses.
pub(crate) fn ensure_localnet(socket: &Socket) -> Result<()> {
    socket.transact(layout::ensure_localnet)
}

/// Removes the attachment's elements and returns where they led. `hints` are what it probably has: right ones spare
/// looking at every element, wrong ones do no harm.
///
/// # Errors
/// Code 101 when the kernel refuses.
pub(crate) fn remove(socket: &Socket, id: &AttachmentId, hints: &[Plan]) -> Result<Vec<Gone>> {
    let owner = id.tag_prefix();
    sweep(socket, &|socket, sets| {
        let mut found: Vec<Held> = Vec::new();
        for plan in hints {
            found.extend(held::of_plan(socket, sets, plan)?);
        }
        found.retain(|held| owner_of(&held.comment) == owner);
        let complete =
            found.first().is_some_and(|held| element::count_of(&held.comment) == Some(found.len()));
        if complete { Ok(found) } else { held::list(socket, sets, &|comment| owner_of(comment) == owner) }
    })
}

/// Removes the elements of the network's attachments that are not in `valid`, and returns where they led.
///
/// # Errors
/// Code 101 when the kernel refuses.
pub(crate) fn collect(socket: &Socket, network: &NetworkName, valid: &[AttachmentId]) -> Result<Vec<Gone>> {
    let stale = Stale::new(network, valid);
    let stale = |comment: &str| stale.includes(owner_of(comment));
    sweep(socket, &|socket, sets| held::list(socket, sets, &stale))
}

/// Finds elements in the ruleset as it is, and removes them from that very one.
type Find<'a> = &'a dyn Fn(&Socket, &[String]) -> Result<Vec<Held>>;

fn sweep(socket: &Socket, find: Find<'_>) -> Result<Vec<Gone>> {
    let mut gone = Vec::new();
    socket.transact(|socket| {
        let found = find(socket, &layout::sets(socket)?)?;
        let mut batch = Batch::new();
        element::erase(&mut batch, &found);
        gone = found.iter().filter_map(Held::gone).collect();
        Ok(batch)
    })?;
    Ok(gone)
}

/// What is missing of the mappings, in words; empty if nothing is.
///
/// # Errors
/// Code 101 when the kernel refuses to say.
pub(crate) fn missing(socket: &Socket, id: &AttachmentId, plans: &[Plan]) -> Result<Vec<String>> {
    let sets = layout::sets(socket)?;
    if sets.is_empty() {
        return Ok(vec![format!("there is no table {TABLE}")]);
    }
    let mut missing = layout::missing(socket, &sets, plans)?;
    for plan in plans {
        element::missing(&mut missing, id, plan, &held::of_plan(socket, &sets, plan)?);
    }
    Ok(missing)
}

/// Whether the kernel takes all of this.
///
/// # Errors
/// Code 50 with the reason.
pub(crate) fn status(filter: &Filter) -> Result<()> {
    let probe = |socket: &Socket| {
        let networks =
            [Cidr::new([10, 0, 0, 0].into(), 24), Cidr::new([0xfd00, 0, 0, 0, 0, 0, 0, 0].into(), 64)];
        let plan = |network: Cidr| Plan {
            container: network.ip(),
            ports: Vec::new(),
            sources: vec![network],
            class: None,
        };
        let plans: Vec<Plan> = networks.into_iter().flatten().map(plan).collect();
        Ok(socket.try_out(&layout::ensure(socket, &layout::sets(socket)?, &plans)?)?)
    };
    filter.nftables().and_then(probe).map_err(|e: Error| {
        let unusable = "port mappings with nftables are not possible on this host";
        Error::new(Code::UNAVAILABLE, unusable).because(e)
    })
}
