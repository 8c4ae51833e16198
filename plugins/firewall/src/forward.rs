//! What a host forwards for containers: their traffic is accepted, unless the administrator's chain says otherwise, and
//! bridges may be isolated from each other (`ingressPolicy`).
//!
//! Host state, with the iptables backend: the reference's chains and rules in `filter`, text by text, and the owners of
//! the addresses in `/run/cni/firewall`. With the nftables backend: `table inet cni_firewall`, where each address is a
//! set element whose comment is the attachment's [`AttachmentId::tag`]; the addresses are on
//! record in `/run/cni/firewall-nftables`. With firewalld: each address is a source of a
//! zone, until firewalld ends or reloads; the owners are in `/run/cni/firewall`, too. What an address has goes on DEL
//! and GC; chains, jumps, sets, the administrator's chain and the policies of bridges stay.
//!
//! [`remove`] and [`collect`] clean all of them, whichever backend is configured now. What the reference made has no
//! owner: [`remove`] finds it by the addresses of the previous result, [`collect`] cannot know it.

mod backend;
mod chains;
mod owned;
mod policy;
mod record;
mod rules;
mod seen;
mod sets;

use std::net::IpAddr;

use cni_skel::Undo;
use cni_types::{AttachmentId, Doing, Error, Failures, NetworkName, Result, Stale};

use crate::firewalld::Firewalld;
pub(crate) use crate::firewalld::Zone;
pub(crate) use backend::FirewallBackend;
use cni_filter::Filter;
use cni_filter::Given;
use cni_filter::iptables::or_natively;
pub(crate) use policy::{AdminChain, Ingress, Isolation, Policy};
use record::AddressOwners;
pub use sets::declaration;

/// The addresses of the nftables layout's attachments.
fn given() -> Given {
    Given::new("/run/cni/firewall-nftables")
}

/// Sets up what the policy asks for, or nothing. What is there already stays; an address that a dead attachment left
/// behind is taken over. Without a backend, [`FirewallBackend::choose`] decides, and where iptables turns out not to be
/// usable, nftables is used.
///
/// # Errors
/// Code 101 when the packet filter refuses, 11 when a lock is held too long, 5 when the owner cannot be recorded.
pub(crate) fn add(
    filter: &Filter,
    backend: Option<FirewallBackend>,
    id: &AttachmentId,
    policy: &Policy,
) -> Result<()> {
    if policy.ips.is_empty() {
        return Ok(());
    }
    let natively = || {
        given().note(id, policy.ips.iter().copied());
        filter.nftables().and_then(|socket| sets::add(socket, id, policy))
    };
    match FirewallBackend::choose(filter, backend) {
        FirewallBackend::Nftables => natively(),
        chosen => recorded(filter, chosen, id, policy).or_else(|refusal| {
            let is_free = backend.is_none()
                && chosen == FirewallBackend::Iptables
                && matches!(filter.nftables_if_present(), Ok(Some(_)));
            or_natively(refusal, || chains::status(policy), is_free.then_some(natively))
        }),
    }
    .doing(format_args!("cannot set up the firewall for container {}", id.container_id))
}

/// Whether an ADD before has set up the attachment, as far as there is a record of it.
pub(crate) fn is_known(id: &AttachmentId) -> bool {
    record::has(&id.tag_prefix()) || given().find(id).is_ok_and(|known| known.is_some())
}

/// Records the owner first, so that whatever happens next, DEL and GC know what to remove.
fn recorded(filter: &Filter, backend: FirewallBackend, id: &AttachmentId, policy: &Policy) -> Result<()> {
    let records = AddressOwners::lock()?;
    let accept = backend == FirewallBackend::Iptables;
    let zone = (!accept).then_some(&policy.zone);
    let owner = id.tag_prefix();
    let before = records.addresses(&owner)?;
    let make = || {
        records.take(id, &policy.ips, zone)?;
        if let Some(zone) = zone {
            let mut firewalld = Firewalld::running()?;
            policy.ips.iter().try_for_each(|&ip| firewalld.ensure_source(zone, ip))?;
        }
        chains::add(filter, &records, policy, accept)
    };
    let mut undo = Undo::new();
    undo.push("remove the firewall", || {
        // An ADD again of an attachment that works leaves it as it was.
        let new: Vec<_> = policy.ips.iter().copied().filter(|ip| !before.contains(ip)).collect();
        owned::take_back(filter.nftables_if_present()?, &records, &owner, &new, zone)
    });
    make()?;
    undo.commit();
    Ok(())
}

/// What firewalld lacks, in words; empty if nothing is.
fn sources_missing(filter: &Filter, policy: &Policy) -> Result<Vec<String>> {
    let mut missing = chains::missing(filter, policy, false)?;
    let mut firewalld = Firewalld::running()?;
    for &ip in &policy.ips {
        if !firewalld.has_source(&policy.zone, ip)? {
            missing.push(format!("firewalld's zone {} has no source {ip}", policy.zone.as_str()));
        }
    }
    Ok(missing)
}

/// Whether everything the policy asks for is there: by `backend`, or else by nftables or iptables, which an attachment
/// of before a change of configuration has.
///
/// # Errors
/// Code 103 naming what `backend` lacks.
pub(crate) fn check(
    filter: &Filter,
    backend: Option<FirewallBackend>,
    id: &AttachmentId,
    policy: &Policy,
) -> Result<()> {
    let backend = FirewallBackend::choose(filter, backend);
    let native = || match filter.nftables_if_present()? {
        Some(socket) => sets::missing(socket, id, policy),
        None => Ok(vec!["the kernel has no nftables".to_owned()]),
    };
    let iptables = || chains::missing(filter, policy, true);
    let complete = |found: &Result<Vec<String>>| found.as_ref().is_ok_and(Vec::is_empty);
    let found = match backend {
        FirewallBackend::Nftables => native(),
        FirewallBackend::Iptables => iptables(),
        FirewallBackend::Firewalld => sources_missing(filter, policy),
    };
    if complete(&found) || complete(&native()) || complete(&iptables()) {
        return Ok(());
    }
    Err(Error::check(format!(
        "the firewall of container {} is incomplete: {}",
        id.container_id,
        found?.join("; ")
    )))
}

/// Removes what the attachment's addresses have, in every backend. `hints` are addresses it probably had, such as those
/// of the previous result; wrong ones do no harm to an attachment of this suite. `zone` is where firewalld may have the
/// hints without a record of ours. What is not there is no error.
///
/// # Errors
/// Code 101 when the packet filter refuses, 11 when a lock is held too long; every backend is tried.
pub(crate) fn remove(
    filter: &Filter,
    id: &AttachmentId,
    hints: &[IpAddr],
    zone: Option<&Zone>,
) -> Result<()> {
    let mut failures = Failures::new();
    let socket = failures.note(filter.nftables_if_present()).flatten();
    let given = given();
    // A record that cannot be read is as good as none here.
    let known = given.find(id).ok().flatten();
    if let Some(socket) = socket {
        let owner = id.tag_prefix();
        let is_own = |comment: &str| comment.starts_with(&owner);
        failures.note(sets::remove(socket, &is_own, known.as_deref()));
    }
    failures.note(owned::remove(socket, id, hints, zone));
    if failures.is_empty() {
        failures.note(given.forget(id));
    }
    failures.fold().doing(format_args!("cannot remove the firewall of container {}", id.container_id))
}

/// Removes what stale attachments have, in every backend.
///
/// # Errors
/// As [`remove`].
pub(crate) fn collect(filter: &Filter, stale: &Stale<'_>) -> Result<()> {
    let mut failures = Failures::new();
    let socket = failures.note(filter.nftables_if_present()).flatten();
    if let Some(socket) = socket {
        failures.note(sets::remove(socket, &|comment| stale.includes(comment), None));
    }
    failures.note(owned::collect(socket, stale));
    if failures.is_empty() {
        failures.note(given().collect(stale));
    }
    failures.fold().doing(format_args!("cannot collect the stale firewall of network {}", stale.network))
}

/// What attachments of `network` have, with the owner in front: addresses on record with any backend, and in nftables.
///
/// # Errors
/// Code 101 when the packet filter refuses, 11 when the records' lock is held too long, 5 when they cannot be read.
pub(crate) fn held(filter: &Filter, network: &NetworkName) -> Result<Vec<(String, String)>> {
    let all = Stale::all(network);
    let mut held = given().held(&all)?;
    if let Some(socket) = filter.nftables_if_present()? {
        held.extend(sets::held(socket, &all)?);
    }
    if let Some(records) = AddressOwners::lock_if_present()? {
        for owner in records.stale(&all)? {
            held.extend(records.addresses(&owner)?.into_iter().map(|ip| (owner.clone(), ip.to_string())));
        }
    }
    Ok(held)
}

/// Whether [`add`] could work on this host. Changes nothing and loads no legacy module.
///
/// # Errors
/// Code 50 with the reason.
pub(crate) fn status(filter: &Filter, backend: Option<FirewallBackend>, isolates: bool) -> Result<()> {
    let chosen = FirewallBackend::choose(filter, backend);
    match chosen.status(filter) {
        Err(_)
            if backend.is_none()
                && chosen == FirewallBackend::Iptables
                && FirewallBackend::Nftables.status(filter).is_ok() => {}
        outcome => outcome?,
    }
    // firewalld has no isolation of its own.
    if chosen == FirewallBackend::Firewalld && isolates {
        FirewallBackend::Iptables.status(filter)
    } else {
        Ok(())
    }
}
