//! `host-device`: a network interface of the host, given to a container for as long as it lives.
//!
//! ADD finds the device, moves it into the container's namespace under its final name (one request, no namespace in
//! between), gives it its addresses and brings it up. A PCI device that a program drives (DPDK) has no interface: it gets
//! addresses and an entry in the result only.
//!
//! Host state: a record per attachment in `/run/cni/host-device` that says what the device was like. DEL gives the device
//! back with its name, alias, MAC address, MTU and flags, wherever it is and whatever it is called there, and removes the
//! record; GC does so for attachments that are no longer valid. The link's alias in the container is its name on the host.
//!
//! Differs from the reference: see README.md.

mod add;
mod back;
mod check;
mod conf;
mod device;
mod held;
mod host;
mod restore;
mod select;
mod sysfs;

use cni_skel::delegate::ipam;
use cni_skel::{About, Attachment, Detachment, Plugin};
use cni_types::{CniResult, Code, Error, Network, Result, SpecVersion, Stale};

use conf::Conf;
use held::Held;
use host::Host;

/// The plugin.
pub struct HostDevice;

impl Plugin for HostDevice {
    fn about(&self) -> About {
        About { name: "host-device", versions: &SpecVersion::ALL }
    }

    fn add(&self, attachment: &Attachment) -> Result<CniResult> {
        add::add(attachment)
    }

    fn check(&self, attachment: &Attachment) -> Result<()> {
        check::check(attachment)
    }

    fn del(&self, detachment: &Detachment) -> Result<()> {
        let give_back = || back::give_back(&Held::new(), &detachment.id, detachment.netns.as_deref());
        ipam::detach(detachment, give_back)
    }

    fn gc(&self, network: &Network) -> Result<()> {
        let stale = Stale::new(&network.name, &network.valid_attachments()?);
        let held = Held::new();
        let entries = held.stale(&stale);
        let host = Host::open()?;
        let mut failures: Vec<_> =
            entries.iter().flatten().filter_map(|e| back::collect(&held, &host, e).err()).collect();
        failures.extend(entries.err());
        failures.extend(ipam::gc(network).err());
        Error::all(failures)
    }

    fn status(&self, network: &Network) -> Result<()> {
        let conf = Conf::read(network)?;
        if !conf.assigned_later {
            conf.refuse_none()?;
        }
        let unavailable = |e: Error| Error { code: Code::UNAVAILABLE, ..e };
        let held = Held::new();
        held.probe().map_err(unavailable)?;
        let others = held.of_others(None).map_err(unavailable)?;
        select::ensure_present(&conf, &Host::open().map_err(unavailable)?, &others)?;
        ipam::status(network)
    }
}
