//! The keys of `host-device`, read and validated.

use std::path::{Component, Path, PathBuf};

use cni_net::LinkName;
use cni_part::{Configured, Lease, Parts};
use cni_types::{Code, Error, Mac, Network, Result, excerpt};
use serde::Deserialize;

use crate::device_part::DevicePart;
use crate::sysfs::{BusDevice, PciAddress};

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Keys {
    device: String,
    hwaddr: String,
    kernelpath: String,
    #[serde(rename = "pciBusID")]
    pci_bus_id: String,
    runtime_config: RuntimeConfig,
    capabilities: Capabilities,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RuntimeConfig {
    #[serde(rename = "deviceID")]
    device_id: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Capabilities {
    #[serde(rename = "deviceID")]
    device_id: bool,
}

/// One way of saying which device is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Selector {
    /// Its name on the host, or an alternative one.
    Name(LinkName),
    /// Its hardware address.
    Mac(Mac),
    /// Its directory below `/sys/devices`.
    KernelPath(PathBuf),
    /// Its PCI address.
    Pci(PciAddress),
    /// What the runtime says: the name of a device on the PCI or the auxiliary bus.
    Assigned(BusDevice),
}

/// A valid configuration: every selector it has, in the order they count, with its key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Conf {
    pub(crate) selectors: Vec<(&'static str, Selector)>,
    /// The runtime will say which device; STATUS is asked before it does.
    pub(crate) assigned_later: bool,
}

/// # Errors
/// As [`cni_part::PartPlugin::parts`].
pub(crate) fn parts(network: &Network) -> Result<Parts> {
    let device = DevicePart(Conf::read(network)?);
    Ok(vec![Box::new(device), Box::new(Lease::new(network)?), Box::new(Configured::trusted(&[]))])
}

impl Conf {
    /// `runtimeConfig.deviceID` replaces `pciBusID`.
    ///
    /// # Errors
    /// Code 6 for a value of the wrong type, code 7 for one that is not allowed.
    pub(crate) fn read(network: &Network) -> Result<Self> {
        let keys: Keys = network.conf()?;
        let mut selectors = Vec::new();
        let mut select =
            |key: &'static str, text: &str, parse: &dyn Fn(&str) -> Result<Selector>| -> Result<()> {
                if text.is_empty() {
                    return Ok(());
                }
                let selector =
                    parse(text).map_err(|e| e.with_code(Code::CONFIG).doing(format!("key {key:?}")))?;
                selectors.push((key, selector));
                Ok(())
            };
        select("device", &keys.device, &|text| LinkName::new(text).map(Selector::Name))?;
        select("hwaddr", &keys.hwaddr, &|text| text.parse().map(Selector::Mac).map_err(Error::config))?;
        select("kernelpath", &keys.kernelpath, &|text| kernel_path(text).map(Selector::KernelPath))?;
        let assigned = &keys.runtime_config.device_id;
        let pci_bus_id = if assigned.is_empty() { keys.pci_bus_id.as_str() } else { "" };
        select("pciBusID", pci_bus_id, &|text| PciAddress::new(text).map(Selector::Pci))?;
        select("runtimeConfig.deviceID", assigned, &|text| BusDevice::new(text).map(Selector::Assigned))?;
        Ok(Self { selectors, assigned_later: keys.capabilities.device_id })
    }

    /// # Errors
    /// Code 7 when the configuration has no selector at all.
    pub(crate) fn refuse_none(&self) -> Result<()> {
        if !self.selectors.is_empty() {
            return Ok(());
        }
        Err(Error::config(
            "specify either \"device\", \"hwaddr\", \"kernelpath\" or \"pciBusID\": the configuration names no device",
        )
        .because("or let the runtime name one with the capability \"deviceID\" (runtimeConfig.deviceID)"))
    }
}

fn kernel_path(text: &str) -> Result<PathBuf> {
    let path = Path::new(text);
    let plain = path.components().skip(1).all(|part| matches!(part, Component::Normal(_)));
    if plain && !text.contains('\0') && path.starts_with("/sys/devices") && path != Path::new("/sys/devices")
    {
        return Ok(path.to_owned());
    }
    Err(Error::config("it must be the absolute path of a directory below /sys/devices, without \"..\"")
        .because(excerpt(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_paths_stay_below_sys_devices() {
        for good in ["/sys/devices/pci0000:00/0000:00:1f.6", "/sys/devices/virtual/"] {
            assert!(kernel_path(good).is_ok(), "{good}");
        }
        for bad in [
            "/sys/devices",
            "/sys/devices/",
            "/sys/devices/../class",
            "sys/devices/x",
            "/sys/devicesx/y",
            "/proc/x",
            "/sys/devices/a\0b",
        ] {
            assert!(kernel_path(bad).is_err(), "{bad}");
        }
    }
}
