//! The addresses of one attachment: one of each range set, all or none.

use std::net::IpAddr;

use cni_types::{AttachmentId, Code, Doing, Error, IpConfig, Result};

use crate::allocator::{Sequence, Taken};
use crate::conf::{Conf, RangeSet};
use crate::store::{Owner, Store};

/// So many addresses are tried right away. If all are taken, the taken ones are listed first.
const TRIES: usize = 32;

/// Reserves an address of each range set. On failure, what this call reserved is free again, and nothing else.
///
/// # Errors
/// Code 104 when an address cannot be given out, code 5 when it cannot be written.
pub(crate) fn acquire(store: &mut Store, conf: &Conf, id: &AttachmentId) -> Result<Vec<IpConfig>> {
    let mut taken = Vec::new();
    let owner = Owner::new(id);
    acquire_all(store, conf, id, &owner, &mut taken).map_err(|error| {
        taken.iter().fold(error, |error, ip| match store.release(*ip, &owner) {
            Ok(()) => error,
            Err(leftover) => error.because(format!("taking back {ip} failed too: {leftover}")),
        })
    })
}

/// The addresses the attachment holds; in the oldest format, those its container holds.
///
/// # Errors
/// Code 5 when the directory cannot be listed.
pub(crate) fn held(store: &mut Store, id: &AttachmentId) -> Result<Vec<IpAddr>> {
    let held = store.owned(&Owner::new(id))?;
    if held.is_empty() { store.owned(&Owner::container(id)) } else { Ok(held) }
}

/// Frees all that the attachment holds; holding nothing is success.
///
/// # Errors
/// Code 5: what could not be freed, after everything else was.
pub(crate) fn release(store: &mut Store, id: &AttachmentId) -> Result<()> {
    for owner in [Owner::new(id), Owner::container(id)] {
        let held = store.owned(&owner)?;
        if !held.is_empty() {
            return Error::all(held.iter().map(|ip| store.release(*ip, &owner)));
        }
    }
    Ok(())
}

fn acquire_all(
    store: &mut Store,
    conf: &Conf,
    id: &AttachmentId,
    owner: &Owner,
    taken: &mut Vec<IpAddr>,
) -> Result<Vec<IpConfig>> {
    let held = held(store, id)?;
    let mut requested = conf.requested.clone();
    let mut ips = Vec::new();
    for (i, set) in conf.sets.iter().enumerate() {
        let doing = || format!("failed to allocate for range {i}");
        if let Some(ip) = held.iter().find(|ip| set.find(**ip).is_some()) {
            return Err(duplicate(store, *ip, id)).doing(doing());
        }
        let wish = requested.iter().position(|ip| set.find(*ip).is_some()).map(|at| requested.remove(at));
        let ip = match wish {
            Some(ip) => acquire_requested(store, owner, set, ip).doing(doing())?,
            None => acquire_next(store, owner, set, i).doing(doing())?,
        };
        taken.push(ip);
        store.set_last_reserved(i, ip)?;
        if let Some(range) = set.find(ip) {
            ips.push(IpConfig { interface: None, address: range.cidr(ip), gateway: Some(range.gateway()) });
        }
    }
    if requested.is_empty() {
        return Ok(ips);
    }
    let rest: Vec<_> = requested.iter().map(ToString::to_string).collect();
    let sets: Vec<_> = conf.sets.iter().map(ToString::to_string).collect();
    Err(Error::new(Code::ADDRESS, format!("failed to allocate all requested IPs: {}", rest.join(" ")))
        .because(format!("each range set gives one address; the sets are {}", sets.join(" and "))))
}

fn acquire_requested(store: &mut Store, owner: &Owner, set: &RangeSet, ip: IpAddr) -> Result<IpAddr> {
    if set.is_gateway(ip) {
        return Err(Error::new(Code::ADDRESS, format!("requested ip {ip} is subnet's gateway"))
            .because(format!("a gateway is never given out of {set}")));
    }
    let mut found = store.reserve_first(owner, [ip].into_iter())?;
    if found.is_none() && store.may_be_stale() {
        // The file may be garbage.
        store.refresh()?;
        found = store.reserve_first(owner, [ip].into_iter())?;
    }
    found.ok_or_else(|| {
        let holder =
            store.owner(ip).map_or_else(|| "a file that is no reservation".to_owned(), |o| o.describe());
        Error::new(Code::ADDRESS, format!("requested IP address {ip} is not available in range set {set}"))
            .because(format!("{} is held by {holder}", store.path_of(ip)))
    })
}

fn acquire_next(store: &mut Store, owner: &Owner, set: &RangeSet, i: usize) -> Result<IpAddr> {
    let order = Sequence::new(set, store.last_reserved(i));
    if let Some(ip) = store.reserve_first(owner, order.iter().take(TRIES))? {
        return Ok(ip);
    }
    loop {
        let taken = store.reserved(|taken: &mut Taken, ip| order.take(taken, ip))?;
        if let Some(ip) = store.reserve_first(owner, order.free(&taken))? {
            return Ok(ip);
        }
        if !store.may_be_stale() {
            return Err(exhausted(store, set)?);
        }
        store.refresh()?;
    }
}

fn duplicate(store: &Store, ip: IpAddr, id: &AttachmentId) -> Error {
    let text = format!("{ip} has been allocated to {}, duplicate allocation is not allowed", id.container_id);
    let since = store.age(ip).map_or(String::new(), |age| format!(", written {} s ago", age.as_secs()));
    Error::new(Code::ADDRESS, text).because(format!(
        "{} holds {ip} by {}{since}; DEL the attachment first",
        id.ifname,
        store.path_of(ip)
    ))
}

fn exhausted(store: &mut Store, set: &RangeSet) -> Result<Error> {
    let (used, free) = usage(store, set)?;
    Ok(Error::new(Code::ADDRESS, format!("no IP addresses available in range set: {set}")).because(format!(
        "range {set}, used {used}, free {free}, data directory {}; GC frees what containers that are gone left behind",
        store.path().display()
    )))
}

/// How many addresses of the set are reserved, and how many are not.
///
/// # Errors
/// Code 5 when the directory cannot be listed.
pub(crate) fn usage(store: &mut Store, set: &RangeSet) -> Result<(usize, u128)> {
    let used = store.reserved(|used: &mut usize, ip| {
        *used += usize::from(set.find(ip).is_some() && !set.is_gateway(ip));
    })?;
    Ok((used, set.capacity().saturating_sub(used as u128)))
}
