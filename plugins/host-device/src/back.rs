//! Giving a device back to the host, from wherever it is.

use std::path::Path;
use std::time::Duration;

use cni_net::{Events, Link, Netns, Rtnl};
use cni_types::{AttachmentId, Error, IfName, Result};

use crate::device::Device;
use crate::held::{Entry, Held};

/// How long the kernel may take to return the device of a namespace that has just died.
const RETURN_LIMIT: Duration = Duration::from_secs(5);
/// How often a name on the host is chosen anew when somebody else was faster.
const NAME_TRIES: u32 = 3;
/// Longest part of a device's name in its name with a number: 15 bytes less `_` and two digits.
const STEM_MAX: usize = 12;

/// Where a device was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// It is on the host now.
    Back,
    /// In none of the namespaces looked into.
    Nowhere,
}

/// Gives the attachment's device back to the host and forgets about it. One that is gone along with its namespace is
/// success. One that the kernel has yet to return keeps its record, for GC or the device's next ADD.
///
/// # Errors
/// Code 8 when a namespace is there but cannot be entered, code 100 when the kernel refuses, code 5 for the record.
pub(crate) fn give_back(held: &Held, id: &AttachmentId, netns: Option<&Path>) -> Result<()> {
    let device = held.read(id).unwrap_or_else(|error| {
        tell(&format!("going by the alias of the interface: {error}"));
        None
    });
    match device {
        Some(device) => {
            let recorded = Some(Path::new(&device.netns)).filter(|&path| Some(path) != netns);
            let paths: Vec<_> = netns.into_iter().chain(recorded).collect();
            if find_and_return(&device, &paths, RETURN_LIMIT)? == Found::Nowhere
                && device.outlives_its_namespace()
            {
                tell(&format!("{} is in no namespace known; its record stays for GC", device.name));
                return Ok(());
            }
        }
        None => return_by_alias(&id.ifname, netns)?,
    }
    held.remove_if_present(id)
}

/// The same for GC, which knows no namespace but the recorded one.
///
/// # Errors
/// As [`give_back`].
pub(crate) fn collect(held: &Held, entry: &Entry) -> Result<()> {
    let device = &entry.device;
    let found = find_and_return(device, &[Path::new(&device.netns)], Duration::ZERO)?;
    if found == Found::Nowhere && device.outlives_its_namespace() { Ok(()) } else { held.forget(entry) }
}

/// Puts right what the kernel has returned to the host as it was in its container.
pub(crate) fn restore_returned(host: &Rtnl, entries: &[Entry]) {
    for entry in entries {
        if let Err(error) = restore(host, &entry.device) {
            tell(&format!("{} is not as it was: {error}", entry.device.name));
        }
    }
}

fn find_and_return(device: &Device, paths: &[&Path], patience: Duration) -> Result<Found> {
    let host = Rtnl::open()?;
    let mut namespace_is_known = false;
    let mut failures = Vec::new();
    for path in paths {
        match Netns::find(Some(path)).and_then(|netns| netns.map(|n| Rtnl::open_in(&n)).transpose()) {
            Ok(None) => {}
            Ok(Some(inside)) => {
                namespace_is_known = true;
                let links = inside.links(None)?;
                if let Some(link) = device.find(&links) {
                    return move_back(&inside, link, &host, device).map(|()| Found::Back);
                }
            }
            Err(error) => failures.push(error),
        }
    }
    let mut found = restore(&host, device)?;
    if found == Found::Nowhere
        && !namespace_is_known
        && !patience.is_zero()
        && device.outlives_its_namespace()
    {
        found = wait_for_return(&host, device, patience)?;
    }
    if found == Found::Nowhere {
        Error::all(failures)?;
    }
    Ok(found)
}

/// What the reference moved has no record: its name on the host is the interface's alias.
fn return_by_alias(ifname: &IfName, netns: Option<&Path>) -> Result<()> {
    let Some(netns) = Netns::find(netns)? else { return Ok(()) };
    let inside = Rtnl::open_in(&netns)?;
    let link = inside.find_link(ifname.as_str())?.filter(|link| IfName::new(&link.alias).is_ok());
    let Some(link) = link else { return Ok(()) };
    move_back(&inside, &link, &Rtnl::open()?, &Device::of_the_reference(&link))
}

/// One move, with everything else in the same request.
fn move_back(inside: &Rtnl, link: &Link, host: &Rtnl, device: &Device) -> Result<()> {
    let own = Netns::open(Path::new("/proc/thread-self/ns/net"))?;
    let mut tries = 0;
    loop {
        tries += 1;
        let name = free_name(host, device, None)?;
        let refused = match inside.move_link(link, &own, &device.shape(&name)) {
            Ok(()) => {
                told(device, &name);
                return Ok(());
            }
            Err(refused) => refused,
        };
        // What comes behind the move in the request may be what was refused.
        if restore(host, device)? == Found::Back {
            return Ok(());
        }
        if !refused.is_exist() || tries == NAME_TRIES {
            return Err(refused.into());
        }
    }
}

/// Makes the device what it was, if it is on the host.
fn restore(host: &Rtnl, device: &Device) -> Result<Found> {
    let links = host.links(None)?;
    let Some(link) = device.find(&links) else { return Ok(Found::Nowhere) };
    if !device.is_back(link) {
        let name = free_name(host, device, Some(link))?;
        host.shape_link(link, &device.shape(&name))?;
        told(device, &name);
    }
    Ok(Found::Back)
}

fn wait_for_return(host: &Rtnl, device: &Device, limit: Duration) -> Result<Found> {
    let events = Events::of_links()?;
    let found = events.ask_until(limit, || Ok(Some(restore(host, device)?).filter(|&f| f == Found::Back)))?;
    Ok(found.unwrap_or(Found::Nowhere))
}

/// The device's own name, or when another link has it (also as an alternative name) the first free one of `<name>_1`,
/// `<name>_2`, …; `own` is the device itself, where it is on the host already.
fn free_name(host: &Rtnl, device: &Device, own: Option<&Link>) -> Result<String> {
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

fn told(device: &Device, name: &str) {
    if name != device.name {
        tell(&format!("{} is back on the host as {name}: another link has its name", device.name));
    }
}

fn tell(text: &str) {
    cni_types::tell(format_args!("host-device: {text}"));
}
