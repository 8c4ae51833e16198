//! Tracked flows that a change of mappings affects. TCP ends by itself; UDP and SCTP flows would go where they went
//! for as long as somebody sends.

use std::net::{IpAddr, SocketAddr};

use cni_filter::conntrack::{Conntrack, Flow, Transport};
use cni_net::Rtnl;
use cni_types::{Cidr, Family, Result};

use crate::mapping::Mapping;

/// Up to how many ports are looked for one by one; from there on all flows of the protocol are listed once.
const ASKED_MAX: usize = 4;

/// Where a mapping led that is no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gone {
    /// The transport protocol's number.
    pub(crate) protocol: u8,
    pub(crate) ip: IpAddr,
    pub(crate) first: u16,
    pub(crate) last: u16,
}

fn transports() -> [Transport; 2] {
    [Transport::Udp, Transport::Sctp]
}

/// After ADD: flows to a mapped port of this host that do not go to the container yet. Failing is no reason to fail:
/// it is told on stderr.
pub(crate) fn redirect(mappings: &[Mapping], targets: &[Option<Cidr>; 2], host: &Rtnl) {
    warn(try_redirect(mappings, targets, host));
}

/// After DEL: flows that went through the mappings.
pub(crate) fn end(gone: &[Gone]) {
    warn(try_end(gone));
}

fn warn(result: Result<()>) {
    if let Err(error) = result {
        cni_skel::tell(format_args!("warning: flows may go where they went before: {error}"));
    }
}

fn try_redirect(mappings: &[Mapping], targets: &[Option<Cidr>; 2], host: &Rtnl) -> Result<()> {
    let affected =
        |transport: Transport| mappings.iter().filter(move |m| m.protocol as u8 == transport as u8);
    if transports().into_iter().all(|transport| affected(transport).next().is_none()) {
        return Ok(());
    }
    let addresses: Vec<IpAddr> = host.addresses(0)?.iter().map(|address| address.cidr.ip()).collect();
    let is_local = |ip: IpAddr| addresses.contains(&ip) || ip.is_loopback();
    let conntrack = Conntrack::open()?;
    for target in targets.iter().flatten().map(Cidr::ip) {
        for transport in transports() {
            let mapped: Vec<&Mapping> =
                affected(transport).filter(|m| m.is_for(Family::of(target))).collect();
            let is_stale = |flow: &Flow| {
                let sent_to = flow.original.dst;
                mapped.iter().any(|mapping| {
                    mapping.host_port == sent_to.port()
                        && mapping.host_ip().map_or_else(|| is_local(sent_to.ip()), |ip| ip == sent_to.ip())
                        && flow.reply.src != SocketAddr::new(target, mapping.container_port)
                })
            };
            if mapped.len() > ASKED_MAX {
                conntrack.flush(Family::of(target), transport, None, &is_stale)?;
            } else {
                for mapping in &mapped {
                    conntrack.flush(Family::of(target), transport, Some(mapping.host_port), &is_stale)?;
                }
            }
        }
    }
    Ok(())
}

fn try_end(gone: &[Gone]) -> Result<()> {
    for transport in transports() {
        let gone: Vec<&Gone> = gone.iter().filter(|gone| gone.protocol == transport as u8).collect();
        for family in Family::ALL {
            if !gone.iter().any(|gone| Family::of(gone.ip) == family) {
                continue;
            }
            let was_target = |to: SocketAddr| {
                gone.iter().any(|gone| gone.ip == to.ip() && (gone.first..=gone.last).contains(&to.port()))
            };
            let is_stale = |flow: &Flow| flow.is_translated && was_target(flow.reply.src);
            Conntrack::open()?.flush(family, transport, None, &is_stale)?;
        }
    }
    Ok(())
}
