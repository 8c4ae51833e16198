//! What a host forwards for containers: their traffic is accepted, unless the administrator's chain says otherwise, and
//! bridges may be isolated from each other (`ingressPolicy`).
//!
//! Host state, with the iptables backend: the reference's chains and rules in `filter`, text by text, and the owners of
//! the addresses in `/run/cni/firewall`. With the nftables backend: `table inet cni_firewall`, where each address is a
//! set element whose comment is the attachment's [`AttachmentId::tag`]. What an address has goes on DEL and GC; chains,
//! jumps, sets, the administrator's chain and the policies of bridges stay.
//!
//! [`remove`] and [`collect`] clean both layouts, whichever backend is configured now. What the reference made has no
//! owner: [`remove`] finds it by the addresses of the previous result, [`collect`] cannot know it.

mod backend;
mod chains;
mod policy;
mod record;
mod rules;
mod seen;
mod sets;

use std::net::IpAddr;

use cni_types::{AttachmentId, Doing, Error, NetworkName, Result};

use crate::Filter;
pub use backend::Backend;
pub use policy::{AdminChain, Ingress, Isolation, Policy};

/// Sets up what the policy asks for. What is there already stays; an address that a dead attachment left behind is
/// taken over.
///
/// # Errors
/// Code 101 when the packet filter refuses, 11 when a lock is held too long, 5 when the owner cannot be recorded.
pub fn add(filter: &Filter, backend: Backend, id: &AttachmentId, policy: &Policy) -> Result<()> {
    if policy.ips.is_empty() {
        return Ok(());
    }
    match backend {
        Backend::Nftables => filter.nftables().and_then(|socket| sets::add(socket, id, policy)),
        Backend::Iptables => chains::add(filter, id, policy),
    }
    .doing(format_args!("cannot set up the firewall for container {}", id.container_id))
}

/// Whether everything the policy asks for is there: by `backend`, or else by the other, which an attachment of before
/// a change of configuration has.
///
/// # Errors
/// Code 103 naming what `backend` lacks.
pub fn check(filter: &Filter, backend: Backend, id: &AttachmentId, policy: &Policy) -> Result<()> {
    let native = || match filter.nftables_if_present()? {
        Some(socket) => sets::missing(socket, id, policy),
        None => Ok(vec!["the kernel has no nftables".to_owned()]),
    };
    let iptables = || chains::missing(filter, policy);
    let complete = |found: &Result<Vec<String>>| found.as_ref().is_ok_and(Vec::is_empty);
    let (found, other): (_, &dyn Fn() -> Result<Vec<String>>) =
        if backend == Backend::Nftables { (native(), &iptables) } else { (iptables(), &native) };
    if complete(&found) || complete(&other()) {
        return Ok(());
    }
    Err(Error::check(format!(
        "the firewall of container {} is incomplete: {}",
        id.container_id,
        found?.join("; ")
    )))
}

/// Removes what the attachment's addresses have, in both layouts. `hints` are addresses it probably had, such as those
/// of the previous result; wrong ones do no harm to an attachment of this suite. What is not there is no error.
///
/// # Errors
/// Code 101 when the packet filter refuses, 11 when a lock is held too long; both layouts are tried.
pub fn remove(filter: &Filter, id: &AttachmentId, hints: &[IpAddr]) -> Result<()> {
    let mut failures = Vec::new();
    let socket = filter.nftables_if_present().unwrap_or_else(|error| {
        failures.push(error);
        None
    });
    failures.extend(socket.and_then(|socket| sets::remove(socket, id, hints).err()));
    chains::remove(socket, id, hints, &mut failures);
    Error::all(failures).doing(format_args!("cannot remove the firewall of container {}", id.container_id))
}

/// Removes what all attachments of `network` have that are not in `valid`, in both layouts.
///
/// # Errors
/// As [`remove`].
pub fn collect(filter: &Filter, network: &NetworkName, valid: &[AttachmentId]) -> Result<()> {
    let mut failures = Vec::new();
    let socket = filter.nftables_if_present().unwrap_or_else(|error| {
        failures.push(error);
        None
    });
    failures.extend(socket.and_then(|socket| sets::collect(socket, network, valid).err()));
    chains::collect(socket, network, valid, &mut failures);
    Error::all(failures).doing(format_args!("cannot collect the stale firewall of network {network}"))
}

/// Whether [`add`] could work on this host. Changes nothing and loads no legacy module.
///
/// # Errors
/// Code 50 with the reason.
pub fn status(filter: &Filter, backend: Backend) -> Result<()> {
    backend.status(filter)
}
