//! Which device is meant.

use std::fmt;

use cni_net::Link;
use cni_types::{Code, Error, Result};

use crate::conf::{Conf, Selector};
use crate::devices::HeldDevice;
use crate::host_links::HostLinks;
use crate::sysfs::{self, PciAddress};

/// What the configuration selects.
pub(crate) enum Selected {
    /// A network interface of the host.
    Link(Box<Link>),
    /// A PCI device that a program drives (DPDK): nothing to move.
    Userspace(PciAddress),
}

impl Selected {
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Link(a), Self::Link(b)) => a.index == b.index,
            (Self::Userspace(a), Self::Userspace(b)) => a == b,
            _ => false,
        }
    }
}

/// The device all selectors agree on; `held` are the devices that are away.
///
/// # Errors
/// Code 7 when there is no selector, or two that name different devices; code 100 when a device is not there.
pub(crate) fn select(conf: &Conf, host: &HostLinks, devices: &[HeldDevice]) -> Result<Selected> {
    conf.refuse_none()?;
    let mut chosen: Option<(&str, Selected)> = None;
    for (key, selector) in &conf.selectors {
        let selected = find(selector, host)?.ok_or_else(|| missing(selector, devices))?;
        match &chosen {
            None => chosen = Some((key, selected)),
            Some((_, first)) if first.is(&selected) => {}
            Some((first, _)) => {
                return Err(Error::config(format!("keys {first:?} and {key:?} name different devices"))
                    .because("name one device by one key"));
            }
        }
    }
    let (_, selected) = chosen.ok_or_else(|| Error::config("no device"))?;
    Ok(selected)
}

/// The device a program drives, if the configuration selects one; asks the kernel about no interface.
pub(crate) fn find_userspace(conf: &Conf) -> Option<PciAddress> {
    let addresses = conf.selectors.iter().filter_map(|(_, selector)| match selector {
        Selector::Pci(address) => Some(address.clone()),
        Selector::Assigned(device) => device.on_pci(),
        _ => None,
    });
    addresses.into_iter().find(|address| address.is_driven_from_userspace().unwrap_or(false))
}

/// STATUS: the selected devices are on the host, or away with an attachment.
///
/// # Errors
/// Code 50 naming what is missing.
pub(crate) fn ensure_present(conf: &Conf, host: &HostLinks, devices: &[HeldDevice]) -> Result<()> {
    for (_, selector) in &conf.selectors {
        let is_away = || match selector {
            Selector::Name(name) => devices.iter().any(|entry| entry.device.goes_by(name.as_str())),
            Selector::Mac(mac) => devices.iter().any(|entry| entry.device.has_mac(*mac)),
            Selector::KernelPath(path) => path.exists(),
            Selector::Pci(address) => address.path().exists(),
            Selector::Assigned(device) => device.on_pci().is_some() || device.on_auxiliary().is_some(),
        };
        if find(selector, host).ok().flatten().is_none() && !is_away() {
            return Err(missing(selector, devices).with_code(Code::UNAVAILABLE));
        }
    }
    Ok(())
}

fn find(selector: &Selector, host: &HostLinks) -> Result<Option<Selected>> {
    let link = match selector {
        Selector::Name(name) => host.rtnl.find_link(name.as_str())?,
        Selector::Mac(mac) => {
            // A NIC comes before the VLANs and bridges that borrow its address.
            let links = host.links()?.iter().filter(|link| link.mac == Some(*mac));
            links.min_by_key(|link| link.index).cloned()
        }
        Selector::KernelPath(path) => named(host, sysfs::interface(path))?,
        Selector::Pci(address) => return on_pci(address, host),
        Selector::Assigned(device) => match device.on_pci() {
            Some(address) => return on_pci(&address, host),
            None => named(host, device.on_auxiliary().and_then(|path| sysfs::interface(&path)))?,
        },
    };
    Ok(link.map(|link| Selected::Link(Box::new(link))))
}

fn on_pci(address: &PciAddress, host: &HostLinks) -> Result<Option<Selected>> {
    if address.is_driven_from_userspace()? {
        return Ok(Some(Selected::Userspace(address.clone())));
    }
    Ok(named(host, address.interface())?.map(|link| Selected::Link(Box::new(link))))
}

fn named(host: &HostLinks, name: Option<String>) -> Result<Option<Link>> {
    name.map_or(Ok(None), |name| host.rtnl.find_link(&name))
}

fn missing(selector: &Selector, devices: &[HeldDevice]) -> Error {
    let error = Error::new(Code::KERNEL, format!("the host has no {selector}"));
    let holder = devices.iter().find(|entry| match selector {
        Selector::Name(name) => entry.device.goes_by(name.as_str()),
        Selector::Mac(mac) => entry.device.has_mac(*mac),
        _ => false,
    });
    match holder {
        Some(entry) => error.because(format!("a container has it: {}", entry.owner)),
        None => error.because("see `ip -d link`; a container may have it, or it has no network driver"),
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "device {name}"),
            Self::Mac(mac) => write!(f, "device with MAC address {mac}"),
            Self::KernelPath(path) => write!(f, "network interface of {}", path.display()),
            Self::Pci(address) => write!(f, "network interface of PCI device {address}"),
            Self::Assigned(device) => write!(f, "network interface of the assigned device {device}"),
        }
    }
}
