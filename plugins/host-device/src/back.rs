//! Giving a device back to the host, from wherever it is.

use std::path::Path;
use std::time::Duration;

use cni_net::{Link, Netns, Rtnl};
use cni_types::{AttachmentId, Code, Error, Failures, IfName, Result};

use crate::device::Device;
use crate::devices::{Devices, HeldDevice};
use crate::host_links::HostLinks;
use crate::restore::{Whereabouts, free_name, put_right, restore, tell, told, wait_for_return};

/// How long the kernel may take to return the device of a namespace that has just died.
pub(crate) const RETURN_LIMIT: Duration = Duration::from_secs(5);
/// How often a name on the host is chosen anew when somebody else was faster.
const NAME_TRIES: u32 = 3;

/// Gives the attachment's device back to the host and forgets about it. One that is gone along with its namespace is
/// success. One that the kernel has yet to return keeps its record, for GC or the device's next ADD.
///
/// # Errors
/// Code 8 when a namespace is there but cannot be entered, code 100 when the kernel refuses, code 5 for the record.
pub(crate) fn give_back(devices: &Devices, id: &AttachmentId, netns: Option<&Path>) -> Result<()> {
    let device = devices.read(id).unwrap_or_else(|error| {
        tell(&format!("going by the alias of the interface: {error}"));
        None
    });
    match device {
        Some(device) => {
            let recorded = Some(Path::new(&device.netns)).filter(|&path| Some(path) != netns);
            let paths: Vec<_> = netns.into_iter().chain(recorded).collect();
            if find_and_return(&HostLinks::open()?, &device, &paths, RETURN_LIMIT)? == Whereabouts::Nowhere
                && device.outlives_its_namespace()
            {
                tell(&format!("{} is in no namespace known; its record stays for GC", device.name));
                return Ok(());
            }
        }
        None => return_by_alias(devices, id, netns)?,
    }
    devices.remove_if_present(id)
}

/// The same for GC, which knows no namespace but the recorded one.
///
/// # Errors
/// As [`give_back`].
pub(crate) fn collect(devices: &Devices, host: &HostLinks, entry: &HeldDevice) -> Result<()> {
    let device = &entry.device;
    let found = find_and_return(host, device, &[Path::new(&device.netns)], Duration::ZERO)?;
    if found == Whereabouts::Nowhere && device.outlives_its_namespace() {
        Ok(())
    } else {
        devices.forget(entry)
    }
}

/// The device in the first of these namespaces that has it, with a socket there, and whether any of them is there.
struct Search {
    found: Option<(Rtnl, Link)>,
    namespace_is_known: bool,
    failures: Failures,
}

fn search(device: &Device, paths: &[&Path]) -> Result<Search> {
    let mut search = Search { found: None, namespace_is_known: false, failures: Failures::new() };
    for path in paths {
        let inside = Netns::find(Some(path)).and_then(|netns| netns.map(|n| Rtnl::open_in(&n)).transpose());
        let Some(inside) = search.failures.note(inside).flatten() else { continue };
        // Another namespace may have the path by now.
        if device.may_be_in(inside.netns_cookie()) {
            search.namespace_is_known = true;
            if let Some(link) = device.find_inside(&inside.links()?).cloned() {
                search.found = Some((inside, link));
                break;
            }
        }
    }
    Ok(search)
}

/// Refuses a second device for an attachment whose first one is in its container, under whatever name.
///
/// # Errors
/// Code 100 naming it; code 8 when the namespace is there but cannot be entered.
pub(crate) fn refuse_second(own: &Device) -> Result<()> {
    let Some((_, link)) = search(own, &[Path::new(&own.netns)])?.found else { return Ok(()) };
    Err(Error::new(
        Code::KERNEL,
        format!("the attachment has a device already: {}, as {} in {}", own.name, link.name, own.netns),
    )
    .because("was this container's DEL forgotten?"))
}

fn find_and_return(
    host: &HostLinks,
    device: &Device,
    paths: &[&Path],
    patience: Duration,
) -> Result<Whereabouts> {
    let Search { found, namespace_is_known, failures } = search(device, paths)?;
    if let Some((inside, link)) = found {
        return move_back(&inside, &link, host, device).map(|()| Whereabouts::PutRight);
    }
    let mut found = restore(host, device)?;
    if found == Whereabouts::Nowhere
        && !namespace_is_known
        && !patience.is_zero()
        && device.outlives_its_namespace()
    {
        found = wait_for_return(host, device, patience)?;
    }
    if found == Whereabouts::Nowhere {
        failures.fold()?;
    }
    Ok(found)
}

/// What the reference moved has no record: its name on the host is the interface's alias. One that another attachment's
/// record knows is not this one's: the namespace has become another container's.
fn return_by_alias(devices: &Devices, id: &AttachmentId, netns: Option<&Path>) -> Result<()> {
    let Some(netns) = Netns::find(netns)? else { return Ok(()) };
    let inside = Rtnl::open_in(&netns)?;
    let link = inside.find_link(id.ifname.as_str())?.filter(|link| IfName::new(&link.alias).is_ok());
    let Some(link) = link else { return Ok(()) };
    let cookie = inside.netns_cookie();
    let is_its = |other: &HeldDevice| {
        other.device.find_inside(std::slice::from_ref(&link)).is_some() && other.device.may_be_in(cookie)
    };
    if devices.of_others(Some(id))?.iter().any(is_its) {
        return Ok(());
    }
    move_back(&inside, &link, &HostLinks::open()?, &Device::of_the_reference(&link))
}

/// One move, with everything else in the same request.
fn move_back(inside: &Rtnl, link: &Link, host: &HostLinks, device: &Device) -> Result<()> {
    let own = Netns::open(Path::new("/proc/thread-self/ns/net"))?;
    let mut tries = 0;
    loop {
        tries += 1;
        let name = free_name(&host.rtnl, device, None)?;
        let refused = match inside.move_link(link, &own, &device.shape(&name)) {
            Ok(()) => {
                told(device, &name);
                return Ok(());
            }
            Err(refused) => refused,
        };
        // What comes behind the move in the request may be what was refused.
        if let Some(link) = device.find_on_host(host.anew().links()?) {
            return put_right(&host.rtnl, link, device);
        }
        if !refused.is_exist() || tries == NAME_TRIES {
            return Err(refused.into());
        }
    }
}
