//! What attachments on record have: rules of iptables or sources of firewalld, removed by their owners.

use std::net::IpAddr;

use cni_types::{AttachmentId, Error, Result, Stale};

use super::chains;
use super::record::AddressOwners;
use crate::firewalld::{Firewalld, Zone};
use cni_filter::nft::Socket;

/// Removes what the attachment's addresses have: the recorded ones, and those of `hints` that nobody else has. `zone`
/// is where firewalld may have them if there is no record, as with what the reference made.
pub(super) fn remove(
    socket: Option<&Socket>,
    id: &AttachmentId,
    hints: &[IpAddr],
    zone: Option<&Zone>,
) -> Result<()> {
    match AddressOwners::lock_if_present()? {
        Some(records) => remove_recorded(socket, &records, &id.tag_prefix(), hints, zone),
        None => remove_addresses(socket, hints, zone),
    }
}

/// Removes what stale attachments have.
pub(super) fn collect(socket: Option<&Socket>, stale: &Stale<'_>) -> Result<()> {
    let Some(records) = AddressOwners::lock_if_present()? else { return Ok(()) };
    let stale = records.stale(stale)?;
    Error::all(stale.iter().map(|owner| remove_recorded(socket, &records, owner, &[], None)))
}

/// Removes what these addresses of an owner have and nobody else's: an ADD that fails takes back what it has made.
pub(super) fn take_back(
    socket: Option<&Socket>,
    records: &AddressOwners,
    owner: &str,
    ips: &[IpAddr],
    zone: Option<&Zone>,
) -> Result<()> {
    let mut own = Vec::new();
    for &ip in ips {
        let other = records.owner(ip)?.is_some_and(|found| found != owner);
        if !other && !own.contains(&ip) {
            own.push(ip);
        }
    }
    remove_addresses(socket, &own, zone)?;
    records.forget(owner, ips)
}

fn remove_recorded(
    socket: Option<&Socket>,
    records: &AddressOwners,
    owner: &str,
    hints: &[IpAddr],
    zone: Option<&Zone>,
) -> Result<()> {
    let mut ips = records.addresses(owner)?;
    let recorded = records.zone(owner)?;
    let zone = if ips.is_empty() { zone } else { recorded.as_ref() };
    ips.extend(hints);
    take_back(socket, records, owner, &ips, zone)
}

fn remove_addresses(socket: Option<&Socket>, ips: &[IpAddr], zone: Option<&Zone>) -> Result<()> {
    if ips.is_empty() {
        return Ok(());
    }
    let sources = zone.into_iter().map(|zone| remove_sources(zone, ips));
    Error::all(std::iter::once(chains::remove(socket, ips)).chain(sources))
}

/// Where firewalld does not run, it has no sources: those of the run time end with it.
fn remove_sources(zone: &Zone, ips: &[IpAddr]) -> Result<()> {
    let Some(mut firewalld) = Firewalld::find()? else { return Ok(()) };
    ips.iter().try_for_each(|&ip| firewalld.remove_source_if_present(zone, ip))
}
