//! `host-device`: a network interface of the host, given to a container for as long as it lives.
//!
//! ADD finds the device, moves it into the container's namespace under its final name (one request, no namespace in
//! between), gives it its addresses and brings it up. A PCI device that a program drives (DPDK) has no interface: it
//! gets addresses and an entry in the result only.
//!
//! HostLinks state: a record per attachment in `/run/cni/host-device` that says what the device was like. DEL gives the
//! device back with its name, alias, MAC address, MTU and flags, wherever it is and whatever it is called there, and
//! removes the record; GC does so for attachments that are no longer valid. The link's alias in the container is its
//! name on the host.
//!
//! Differs from the reference: see README.md.

mod back;
mod conf;
mod device;
mod device_part;
mod devices;
mod host_links;
mod restore;
mod select;
mod sysfs;

use cni_part::{Leased, PartPlugin};

pub use conf::KEYS;

/// The plugin.
pub static HOST_DEVICE: PartPlugin =
    PartPlugin::of_link("host-device", device_part::parts, &[&Leased(&device_part::OWNED)]);
