//! The keys of `host-device`, read and validated.

use std::path::{Component, Path, PathBuf};

use cni_net::LinkName;
use cni_types::{Error, Form, FromText, Key, Mac, Network, PluginKeys, Result, Text, excerpt, keys};

use crate::sysfs::{BusDevice, PciAddress};

keys! {
    struct Keys {
        /// the interface's name on the node, or an alternative one
        "device" device: Text<LinkName>;
        /// its Ethernet address; the first of several interfaces with one
        "hwaddr" hwaddr: Text<HwAddr>;
        /// its directory below `/sys/devices`: the first interface in its `net/`
        "kernelpath" kernelpath: Text<KernelPath>;
        /// its PCI address, such as `0000:3b:00.1`; virtio devices too
        "pciBusID" pci_bus_id: Text<PciAddress>;
        "runtimeConfig" runtime_config: RuntimeConfig;
        "capabilities" capabilities: Capabilities;
    }

    struct RuntimeConfig {
        /// PCI address, or name on the auxiliary bus, that a device plugin assigned; replaces `pciBusID`
        "deviceID" device_id: Text<BusDevice>;
    }

    struct Capabilities {
        /// the runtime says which device
        "deviceID" device_id: bool;
    }
}

/// What `host-device` can be told.
pub const KEYS: PluginKeys =
    PluginKeys { plugin: "host-device", keys: &[Keys::KEYS, &[Key::IPAM, Key::DNS]], args: &[] };

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

impl Conf {
    /// `runtimeConfig.deviceID` replaces `pciBusID`.
    ///
    /// # Errors
    /// Code 6 for a value of the wrong type, code 7 for one that is not allowed.
    pub(crate) fn read(network: &Network) -> Result<Self> {
        let Keys { device, hwaddr, kernelpath, pci_bus_id, runtime_config, capabilities } = network.conf()?;
        let assigned = runtime_config.device_id;
        let pci_bus_id = if assigned.as_str().is_empty() { pci_bus_id } else { Text::default() };
        let read = [
            device.read_if_given("device")?.map(|name| ("device", Selector::Name(name))),
            hwaddr.read_if_given("hwaddr")?.map(|address| ("hwaddr", Selector::Mac(address.0))),
            kernelpath.read_if_given("kernelpath")?.map(|path| ("kernelpath", Selector::KernelPath(path.0))),
            pci_bus_id.read_if_given("pciBusID")?.map(|address| ("pciBusID", Selector::Pci(address))),
            assigned
                .read_if_given("runtimeConfig.deviceID")?
                .map(|device| ("runtimeConfig.deviceID", Selector::Assigned(device))),
        ];
        let selectors = read.into_iter().flatten().collect();
        Ok(Self { selectors, assigned_later: capabilities.device_id })
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

/// Any address of 6 bytes: what it is of is there already.
struct HwAddr(Mac);

impl FromText for HwAddr {
    const FORM: Form = Form::Text { what: "MAC address", check: Self::check };

    fn from_text(text: &str) -> Result<Self> {
        text.parse().map(Self).map_err(Error::config)
    }
}

/// A directory below `/sys/devices`.
struct KernelPath(PathBuf);

impl FromText for KernelPath {
    const FORM: Form = Form::Text { what: "path below /sys/devices", check: Self::check };

    fn from_text(text: &str) -> Result<Self> {
        let path = Path::new(text);
        let plain = path.components().skip(1).all(|part| matches!(part, Component::Normal(_)));
        let below = path.starts_with("/sys/devices") && path != Path::new("/sys/devices");
        if plain && below && !text.contains('\0') {
            return Ok(Self(path.to_owned()));
        }
        Err(Error::config("it must be the absolute path of a directory below /sys/devices, without \"..\"")
            .because(excerpt(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_paths_stay_below_sys_devices() {
        for good in ["/sys/devices/pci0000:00/0000:00:1f.6", "/sys/devices/virtual/"] {
            assert!(KernelPath::check(good).is_ok(), "{good}");
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
            assert!(KernelPath::check(bad).is_err(), "{bad}");
        }
    }
}
