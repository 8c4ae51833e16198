//! Devices on a bus, as `/sys` shows them. A name that gets into a path is one valid component.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cni_types::{Code, Error, Form, FromText, Result, excerpt};

/// Where the buses are.
const BUSES: &str = "/sys/bus";
/// Drivers that hand a device to a program instead of giving the host a network interface.
const USERSPACE_DRIVERS: [&str; 3] = ["vfio-pci", "uio_pci_generic", "igb_uio"];
/// Longest name of a device on the auxiliary bus: `KBUILD_MODNAME`, `.`, the driver's name, `.` and a number; generous.
const NAME_MAX: usize = 128;

/// A PCI address: `0000:3b:00.1` (domain, bus, device, function in hex), in lower case as in `/sys`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PciAddress(String);

impl FromText for PciAddress {
    const FORM: Form = Form::Text { what: "PCI address", check: Self::check };

    fn from_text(text: &str) -> Result<Self> {
        if is_pci_address(text) {
            return Ok(Self(text.to_ascii_lowercase()));
        }
        Err(Error::config("it must be a PCI address with its domain, such as 0000:3b:00.1")
            .because(excerpt(text)))
    }
}

impl PciAddress {
    /// Its directory.
    pub(crate) fn path(&self) -> PathBuf {
        Path::new(BUSES).join("pci/devices").join(&self.0)
    }

    /// Whether a program drives it (DPDK): then there is no interface to move.
    ///
    /// # Errors
    /// Code 100 when there is no such device, or it has no driver.
    pub(crate) fn is_driven_from_userspace(&self) -> Result<bool> {
        let path = self.path();
        let failed = |what: &str, e: &io::Error| Error {
            code: Code::KERNEL,
            ..Error::io(format!("cannot find {what} of PCI device {self}"), e)
        };
        fs::metadata(&path).map_err(|e| failed("the directory", &e))?;
        let driver = fs::read_link(path.join("driver"));
        let driver = driver.map_err(|e| failed("the driver", &e).because("is one bound to it?"))?;
        let name = driver.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        Ok(USERSPACE_DRIVERS.contains(&name))
    }

    /// The name of its first interface; a virtio device has it one level further down.
    pub(crate) fn interface(&self) -> Option<String> {
        let path = self.path();
        first_entry(&path.join("net"), "").or_else(|| {
            let virtio = first_entry(&path, "virtio")?;
            first_entry(&path.join(virtio).join("net"), "")
        })
    }
}

fn is_pci_address(text: &str) -> bool {
    let hex = |part: &str, digits: std::ops::RangeInclusive<usize>| {
        digits.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_hexdigit())
    };
    let mut parts = text.splitn(3, ':');
    let (domain, bus, slot) = (parts.next(), parts.next(), parts.next());
    let Some((device, function)) = slot.and_then(|slot| slot.split_once('.')) else { return false };
    // Virtual domains (VMD) have five digits.
    domain.is_some_and(|d| hex(d, 4..=8))
        && bus.is_some_and(|b| hex(b, 2..=2))
        && hex(device, 2..=2)
        && device < "20"
        && matches!(function.as_bytes(), [b'0'..=b'7'])
}

impl fmt::Display for PciAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a device plugin assigned: the name of a device on the PCI or the auxiliary bus, such as `mlx5_core.sf.2`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BusDevice(String);

impl FromText for BusDevice {
    const FORM: Form = Form::Text { what: "device's name", check: Self::check };

    fn from_text(text: &str) -> Result<Self> {
        let valid = |b: u8| b.is_ascii_alphanumeric() || b"_.-:".contains(&b);
        if !text.is_empty() && text.len() <= NAME_MAX && !text.starts_with('.') && text.bytes().all(valid) {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::config(
            "it must be the name of a device on the PCI or auxiliary bus, such as 0000:3b:00.1 or mlx5_core.sf.2",
        )
        .because(excerpt(text)))
    }
}

impl BusDevice {
    /// The same as a PCI address, where the PCI bus has such a device.
    pub(crate) fn on_pci(&self) -> Option<PciAddress> {
        PciAddress::from_text(&self.0).ok().filter(|address| address.path().exists())
    }

    /// Its directory on the auxiliary bus, where that has such a device.
    pub(crate) fn on_auxiliary(&self) -> Option<PathBuf> {
        Some(Path::new(BUSES).join("auxiliary/devices").join(&self.0)).filter(|path| path.exists())
    }
}

impl fmt::Display for BusDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of the first interface of the device with this directory.
pub(crate) fn interface(device: &Path) -> Option<String> {
    first_entry(&device.join("net"), "")
}

/// Whether the device the kernel calls `name` on `bus` is still there.
pub(crate) fn is_on_bus(bus: &str, name: &str) -> bool {
    !name.is_empty() && Path::new(BUSES).join(bus).join("devices").join(name).exists()
}

/// The alphabetically first entry that starts with `prefix`.
fn first_entry(dir: &Path, prefix: &str) -> Option<String> {
    let names = fs::read_dir(dir).ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter(|name| name.starts_with(prefix)).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pci_addresses_are_complete_and_one_component() {
        for good in ["0000:3b:00.1", "0000:00:1f.7", "10000:01:00.0", "0000:AF:00.0"] {
            assert_eq!(PciAddress::from_text(good).unwrap().to_string(), good.to_ascii_lowercase());
        }
        for bad in [
            "",
            "3b:00.1",
            "0000:3b:00",
            "0000:3b:00.8",
            "0000:3b:20.0",
            "0000:3b:0g.0",
            "0000:3b:00.1/..",
            "../0000:3b:00.1",
            "0000:3b:00.1\n",
            "0000:3b:00.10",
            "0000:3b:00:1",
            "0000:3b:..",
            "éééé:3b:00.1",
        ] {
            assert!(PciAddress::from_text(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn assigned_devices_are_one_component() {
        for good in ["mlx5_core.sf.2", "0000:3b:00.1"] {
            assert!(BusDevice::from_text(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "a/b", "../x", "a\0", "a b", &"a".repeat(129)] {
            assert!(BusDevice::from_text(bad).is_err(), "{bad}");
        }
    }
}
