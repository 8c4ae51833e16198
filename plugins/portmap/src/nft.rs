//! The nftables backend: `table inet cni_portmap`, spoken natively.
//!
//! ```text
//! map ports4        which port of the container stands for protocol and port of any address of the host
//! map ranges4       the same for ranges of ports, which are kept; made when wanted
//! map host_ports4, host_ranges4    the same for one address of the host; and all of them for IPv6
//! set sources4_24   container . network it is asked from, whose packets are masqueraded
//! ```
//!
//! An attachment is a few elements, whose comments name it and how many there are. Keys are unique, so a port has one
//! owner; ADD looks before it writes, under the ruleset's generation, and names who holds the port. Another attachment
//! of the same container gets its port in a layer behind, `map ports4.2` with chain `later2`, which is looked into
//! last.

mod change;
mod element;
mod held;
mod index;
mod layout;
mod map;
mod missing;
mod names;
mod plan;
mod port;
mod status;

use std::net::IpAddr;

use cni_filter::nft::{Batch, Socket};
use cni_types::{AttachmentId, Result, Stale};

use crate::claim::{Claimant, Claims};
use crate::flows::Gone;
use crate::taken::Taken;
use change::PortChange;
use element::{HeldElement, owner_of};
pub use layout::declaration;
use names::TABLE;
pub(crate) use plan::Plan;
use plan::fitting;
pub(crate) use status::status;

/// Makes the mappings: one batch for both families. What is there already stays.
///
/// # Errors
/// Code 11 naming the holder when a port is taken, code 101 when the kernel refuses.
pub(crate) fn add(socket: &Socket, claimant: &Claimant<'_>, plans: Vec<Plan>) -> Result<Taken> {
    let plans = &fitting(socket, &layout::sets(socket)?, plans)?;
    let mut made = Taken::default();
    socket.transact(|socket| {
        let sets = layout::sets(socket)?;
        let change = PortChange::new(socket, &sets, claimant, plans)?;
        let mut batch = layout::ensure(socket, &sets, plans, &change.maps())?;
        change.write(&mut batch);
        let gone = change.erased.iter().filter_map(HeldElement::gone).collect();
        made = Taken { gone, yielded: change.yielded };
        Ok(batch)
    })?;
    Ok(made)
}

/// Removes what these owners have, but for what leads to other addresses than `only`, if that is given.
///
/// # Errors
/// Code 101 when the kernel refuses.
pub(crate) fn evict(socket: &Socket, owners: &[&str], only: Option<&[IpAddr]>) -> Result<Vec<Gone>> {
    if owners.is_empty() {
        return Ok(Vec::new());
    }
    sweep(socket, &|socket, sets| {
        let mut found = held::list(socket, sets, &|comment| owners.contains(&owner_of(comment)))?;
        found.retain(|held| only.is_none_or(|only| held.container().is_some_and(|ip| only.contains(&ip))));
        Ok(found)
    })
}

/// Only the protection of 127.0.0.0/8, for mappings that iptables carries.
///
/// # Errors
/// Code 101 when the kernel refuses.
pub(crate) fn ensure_localnet(socket: &Socket) -> Result<()> {
    socket.transact(layout::localnet)
}

/// Whether it is there.
///
/// # Errors
/// Code 101 when the kernel refuses to say.
pub(crate) fn has_localnet(socket: &Socket) -> Result<bool> {
    Ok(layout::localnet(socket)?.is_empty())
}

/// Removes the attachment's elements and returns where they led. `hints` are what it probably has: right ones spare
/// looking at every element, wrong ones do no harm. An attachment that was added twice, or before there were claims,
/// may have more.
///
/// # Errors
/// Code 101 when the kernel refuses.
pub(crate) fn remove(
    socket: &Socket,
    id: &AttachmentId,
    hints: &[Plan],
    claims: &Claims,
) -> Result<Vec<Gone>> {
    let owner = id.tag_prefix();
    sweep(socket, &|socket, sets| {
        let mut found: Vec<HeldElement> = Vec::new();
        for plan in hints {
            found.extend(held::of_plan(socket, sets, plan)?);
        }
        found.retain(|held| owner_of(&held.comment) == owner);
        let complete = claims.own(id).count() == 1
            && found.first().is_some_and(|held| element::count_of(&held.comment) == Some(found.len()));
        if complete { Ok(found) } else { held::list(socket, sets, &|comment| owner_of(comment) == owner) }
    })
}

/// Removes the elements of stale attachments, and returns where they led.
///
/// # Errors
/// Code 101 when the kernel refuses.
pub(crate) fn collect(socket: &Socket, stale: &Stale<'_>) -> Result<Vec<Gone>> {
    let stale = |comment: &str| stale.includes(owner_of(comment));
    sweep(socket, &|socket, sets| held::list(socket, sets, &stale))
}

/// Finds elements in the ruleset as it is, and removes them from that very one.
type Find<'a> = &'a dyn Fn(&Socket, &[String]) -> Result<Vec<HeldElement>>;

fn sweep(socket: &Socket, find: Find<'_>) -> Result<Vec<Gone>> {
    let mut gone = Vec::new();
    socket.transact(|socket| {
        let found = find(socket, &layout::sets(socket)?)?;
        let mut batch = Batch::new();
        element::erase(&mut batch, &found);
        gone = found.iter().filter_map(HeldElement::gone).collect();
        Ok(batch)
    })?;
    Ok(gone)
}

/// What is missing of the mappings, in words; empty if nothing is.
///
/// # Errors
/// Code 101 when the kernel refuses to say.
pub(crate) fn missing(socket: &Socket, id: &AttachmentId, plans: Vec<Plan>) -> Result<Vec<String>> {
    let sets = layout::sets(socket)?;
    if sets.is_empty() {
        return Ok(vec![format!("there is no table {TABLE}")]);
    }
    let plans = &fitting(socket, &sets, plans)?;
    let mut missing = layout::missing(socket, &sets, plans)?;
    for plan in plans {
        missing::of_plan(&mut missing, id, plan, &held::of_plan(socket, &sets, plan)?);
    }
    Ok(missing)
}
