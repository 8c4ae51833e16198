//! Devices that are on the host again without our doing. One that is still as the kernel returned it is put right,
//! once; what somebody uses is his.

use std::time::Duration;

use cni_net::{Events, Link, Rtnl};
use cni_types::Result;

use crate::device::Device;
use crate::devices::{Devices, HeldDevice};
use crate::host_links::HostLinks;

/// Longest part of a device's name in its name with a number: 15 bytes less `_` and two digits.
const STEM_MAX: usize = 12;

/// What became of a device that was looked for on the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whereabouts {
    /// It is not there.
    Nowhere,
    /// As it was before. Its ADD may be about to move it.
    Back,
    /// It was as the kernel had returned it, and is as it was before now.
    PutRight,
    /// Somebody uses it.
    Used,
}

/// Puts right what the kernel has returned to the host, and forgets about it and about what somebody uses. Whether
/// anything was changed.
pub(crate) fn restore_returned<'e>(
    host: &HostLinks,
    devices: &Devices,
    entries: impl IntoIterator<Item = &'e HeldDevice>,
) -> bool {
    let mut changed = false;
    for entry in entries {
        let found = restore(host, &entry.device);
        changed |= !matches!(found, Ok(Whereabouts::Nowhere | Whereabouts::Back | Whereabouts::Used));
        let forgotten = match found {
            Ok(Whereabouts::PutRight | Whereabouts::Used) => devices.forget(entry),
            found => found.map(drop),
        };
        if let Err(error) = forgotten {
            tell(&format!("{} is not as it was: {error}", entry.device.name));
        }
    }
    changed
}

/// Makes the device what it was, if it is on the host as the kernel returned it.
///
/// # Errors
/// Code 100 with what the kernel refused.
pub(crate) fn restore(host: &HostLinks, device: &Device) -> Result<Whereabouts> {
    let Some(link) = device.find_on_host(host.links()?) else { return Ok(Whereabouts::Nowhere) };
    if device.is_back(link) {
        return Ok(Whereabouts::Back);
    }
    if is_used(host, link)? {
        tell(&format!("{} is in use on the host as {} and stays as it is", device.name, link.name));
        return Ok(Whereabouts::Used);
    }
    put_right(&host.rtnl, link, device).map(|()| Whereabouts::PutRight)
}

/// The kernel takes a link down when it returns it; addresses and master are gone by then.
fn is_used(host: &HostLinks, link: &Link) -> Result<bool> {
    // A veth has the index of its peer there, which is in another namespace.
    let is_upper = |upper: &Link| upper.iflink == Some(link.index) && upper.kind != "veth";
    Ok(link.is_up()
        || link.master.is_some()
        || host.links()?.iter().any(|upper| upper.index != link.index && is_upper(upper))
        || !host.rtnl.addresses(link.index)?.is_empty())
}

/// Makes a link on the host what the device was.
///
/// # Errors
/// Code 100 with what the kernel refused.
pub(crate) fn put_right(host: &Rtnl, link: &Link, device: &Device) -> Result<()> {
    let name = free_name(host, device, Some(link))?;
    host.shape_link(link, &device.shape(&name))?;
    told(device, &name);
    Ok(())
}

/// The same for a device that the kernel is about to return: waits for it.
///
/// # Errors
/// Code 100 when the kernel refuses.
pub(crate) fn wait_for_return(host: &HostLinks, device: &Device, limit: Duration) -> Result<Whereabouts> {
    let events = Events::of_links()?;
    let look = || Ok(Some(restore(&host.anew(), device)?).filter(|&found| found != Whereabouts::Nowhere));
    Ok(events.ask_until(limit, look)?.unwrap_or(Whereabouts::Nowhere))
}

/// The device's own name, or when another link has it (also as an alternative name) the first free one of `<name>_1`,
/// `<name>_2`, …; `own` is the device itself, where it is on the host already.
///
/// # Errors
/// Code 100 when the kernel refuses to say.
pub(crate) fn free_name(host: &Rtnl, device: &Device, own: Option<&Link>) -> Result<String> {
    let mut name = device.name.clone();
    for number in 1..100 {
        match host.find_link(&name)? {
            Some(taken) if own.is_none_or(|own| own.index != taken.index) => {}
            _ => break,
        }
        let end = (0..=STEM_MAX.min(device.name.len())).rev().find(|&i| device.name.is_char_boundary(i));
        name = format!("{}_{number}", &device.name[..end.unwrap_or(0)]);
    }
    Ok(name)
}

/// Says so when the device did not get its own name.
pub(crate) fn told(device: &Device, name: &str) {
    if name != device.name {
        tell(&format!("{} is back on the host as {name}: another link has its name", device.name));
    }
}

pub(crate) fn tell(text: &str) {
    cni_skel::tell(format_args!("host-device: {text}"));
}
