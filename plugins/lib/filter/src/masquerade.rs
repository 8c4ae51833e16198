//! Masquerade: what an attachment sends beyond its own network leaves with the host's address. Destinations in the
//! address's own network and multicast stay as they are.
//!
//! Host state, with the nftables backend: `table inet cni_masquerade`, one set element per address, whose comment is
//! the attachment's [`AttachmentId::tag`]. The table, its base chain, and one set and rule per prefix length stay. With
//! the iptables backend: the reference's chain and jumps in `nat`, nothing shared. With either, a record of the
//! attachment's addresses in `/run/cni/masquerade` until DEL or GC.
//!
//! [`remove`] and [`collect`] clean three layouts, whichever backend is configured now: both of these and the
//! reference's own `table inet cni_plugins_masquerade`. Differs from the reference: needs no address, survives a
//! missing or partial layout, and knows GC. Limit: an address is one set key, so of two live attachments with the same
//! address (overlapping networks) only the later one has an element.

mod backend;
mod chains;
mod node;
mod pods;
mod reference;

use std::net::IpAddr;

use cni_types::{AttachmentId, Cidr, Doing, Error, Failures, NetworkName, Result, Stale};

use crate::Filter;
use crate::given::Given;
use crate::iptables::or_natively;
pub use backend::Backend;
pub use pods::declaration;

/// The addresses of the attachments.
fn given() -> Given {
    Given::new("/run/cni/masquerade")
}

/// Masquerades what the attachment sends from `ips` to anything outside the address's own network. What is there
/// already stays; an address that a dead attachment left behind is taken over. Without a backend, [`Backend::choose`]
/// decides, and where iptables turns out not to be usable, nftables is used.
///
/// # Errors
/// Code 101 when the packet filter refuses, 11 when its lock is held too long, 5 when the addresses cannot be recorded.
pub fn add(
    filter: &Filter,
    backend: impl Into<Option<Backend>>,
    id: &AttachmentId,
    ips: &[Cidr],
) -> Result<()> {
    if ips.is_empty() {
        return Ok(());
    }
    let configured = backend.into();
    let given = given();
    let addresses = || ips.iter().map(Cidr::ip);
    let natively = || {
        given.note(id, addresses());
        filter.nftables().and_then(|socket| pods::add(socket, id, ips))
    };
    match Backend::choose(filter, configured) {
        Backend::Nftables => natively(),
        Backend::Iptables => {
            given.add(id, addresses()).and_then(|()| chains::add(filter, id, ips)).or_else(|refusal| {
                let instead = || {
                    let mut failures = Failures::new();
                    let socket = filter.nftables_if_present()?;
                    chains::remove(socket, &given, id, &[], &mut failures);
                    failures.fold().and_then(|()| natively())
                };
                let is_free = configured.is_none() && matches!(filter.nftables_if_present(), Ok(Some(_)));
                or_natively(refusal, || chains::status(ips), is_free.then_some(instead))
            })
        }
    }
    .doing(format_args!("cannot masquerade container {}", id.container_id))
}

/// Whether every address is masqueraded: by `backend`, or else by one of the other layouts, which an attachment of
/// before an upgrade or a change of configuration has.
///
/// # Errors
/// Code 103 naming what `backend` lacks.
pub fn check(
    filter: &Filter,
    backend: impl Into<Option<Backend>>,
    id: &AttachmentId,
    ips: &[Cidr],
) -> Result<()> {
    let backend = Backend::choose(filter, backend.into());
    let socket = filter.nftables_if_present()?;
    let native = || match socket {
        Some(socket) => pods::missing(socket, id, ips),
        None => Ok(vec!["the kernel has no nftables".to_owned()]),
    };
    let iptables = || chains::missing(filter, id, ips);
    let complete = |found: &Result<Vec<String>>| found.as_ref().is_ok_and(Vec::is_empty);
    let (found, other): (_, &dyn Fn() -> Result<Vec<String>>) =
        if backend == Backend::Nftables { (native(), &iptables) } else { (iptables(), &native) };
    if complete(&found) || complete(&other()) {
        return Ok(());
    }
    if let Some(socket) = socket {
        if reference::is_complete(socket, id, ips)? {
            return Ok(());
        }
    }
    Err(Error::check(format!("container {} is not masqueraded: {}", id.container_id, found?.join("; "))))
}

/// Removes the attachment's masquerade in every layout, and nothing of the container's other attachments. `hints` are
/// addresses it probably had, such as those of the previous result, for an attachment of which there is no record;
/// wrong ones do no harm. What is not there is no error.
///
/// # Errors
/// Code 101 when the packet filter refuses, 11 when its lock is held too long; all layouts are tried.
pub fn remove(filter: &Filter, id: &AttachmentId, hints: &[IpAddr]) -> Result<()> {
    let mut failures = Failures::new();
    let socket = failures.note(filter.nftables_if_present()).flatten();
    let given = given();
    if let Some(socket) = socket {
        // A record that cannot be read is as good as none here.
        let known = given.find(id).ok().flatten();
        let owner = id.tag_prefix();
        let is_own = |comment: &str| comment.starts_with(&owner);
        failures.note(pods::remove(socket, &is_own, known.as_deref()));
        failures.note(reference::remove(socket, &is_own));
    }
    chains::remove(socket, &given, id, hints, &mut failures);
    if failures.is_empty() {
        failures.note(given.forget(id));
    }
    failures.fold().doing(format_args!("cannot remove the masquerade of container {}", id.container_id))
}

/// Removes the masquerade of stale attachments, in every layout. The iptables
/// layout knows containers only: there, an attachment without a record (as of before an upgrade) stays while its
/// container has another in the network.
///
/// # Errors
/// As [`remove`].
pub fn collect(filter: &Filter, stale: &Stale<'_>) -> Result<()> {
    let mut failures = Failures::new();
    let socket = failures.note(filter.nftables_if_present()).flatten();
    let given = given();
    if let Some(socket) = socket {
        let is_stale = |comment: &str| stale.includes(comment);
        failures.note(pods::remove(socket, &is_stale, None));
        failures.note(reference::remove(socket, &is_stale));
    }
    chains::collect(socket, &given, stale, &mut failures);
    if failures.is_empty() {
        failures.note(given.collect(stale));
    }
    failures.fold().doing(format_args!("cannot collect the stale masquerade of network {}", stale.network))
}

/// What attachments of `network` have, with the owner in front: addresses on record, and in nftables.
///
/// # Errors
/// Code 101 when the packet filter refuses, 5 when the records cannot be read.
pub fn held(filter: &Filter, network: &NetworkName) -> Result<Vec<(String, String)>> {
    let all = Stale::all(network);
    let mut held = match filter.nftables_if_present()? {
        Some(socket) => pods::held(socket, &all)?,
        None => Vec::new(),
    };
    let recorded = given().held(&all)?.into_iter();
    // A record's owner is the start of an element's, with the container's hash in place of the names.
    let is_new = |(owner, what): &(String, String)| {
        let same = |(tag, ip): &(String, String)| {
            ip == what && owner.rsplit_once('-').is_some_and(|(id, _)| tag.starts_with(id))
        };
        !held.iter().any(same)
    };
    let recorded: Vec<_> = recorded.filter(is_new).collect();
    held.extend(recorded);
    Ok(held)
}

/// Whether [`add`] could work on this host. Changes nothing and loads no legacy module. Where it can, but legacy
/// iptables has a nat table beside nf_tables, a warning goes to stderr: packets pass both, in an order few expect.
///
/// # Errors
/// Code 50 with the reason.
pub fn status(filter: &Filter, backend: impl Into<Option<Backend>>) -> Result<()> {
    let backend = Backend::usable(filter, backend.into())?;
    if let Some(warning) = warning(backend) {
        cni_skel::tell(warning);
    }
    Ok(())
}

/// What [`status`] warns of; `None` if all is well.
pub fn warning(backend: Backend) -> Option<String> {
    backend.warning()
}
