//! `tuning`: sysctls and link attributes of a container's interface, in a chain behind the plugin that made it.
//!
//! ADD writes the sysctls in the container's namespace (below `/proc/sys/net` only, and only what the node's allow-list
//! has), then sets MAC address, MTU, promiscuous mode, all-multicast mode and the length of the transmit queue.
//!
//! Host state: a backup file with the attributes' values before the change, `<dataDir>/<container id>_<ifname>.json`.
//! DEL restores the attributes from it and removes it; GC removes those of attachments of the network that are no
//! longer valid. Sysctls go with the namespace.
//!
//! Differs from the reference: see README.md.

mod add;
mod allowlist;
mod attributes;
mod backup;
mod check;
mod conf;
mod del;

use std::path::Path;

use cni_skel::{About, Attachment, Detachment, Plugin};
use cni_types::{CniResult, Code, Error, Network, Result, SpecVersion};

use allowlist::AllowList;
use backup::Backups;
use conf::Conf;

/// The plugin.
pub struct Tuning;

impl Plugin for Tuning {
    fn about(&self) -> About {
        About { name: "tuning", versions: &SpecVersion::ALL }
    }

    fn add(&self, attachment: &Attachment) -> Result<CniResult> {
        add::add(attachment)
    }

    fn check(&self, attachment: &Attachment) -> Result<()> {
        check::check(attachment)
    }

    /// Needs no key but `dataDir`, so a configuration that no longer makes sense cannot keep a container from going.
    fn del(&self, detachment: &Detachment) -> Result<()> {
        del::del(detachment)
    }

    fn gc(&self, network: &Network) -> Result<()> {
        let valid = network.valid_attachments()?;
        Backups::of(network).collect(&network.name, &valid)
    }

    fn status(&self, network: &Network) -> Result<()> {
        let unavailable = |e: Error| Error { code: Code::UNAVAILABLE, ..e };
        let conf = Conf::read_without_interface(network)?;
        let list = AllowList::read(Path::new(allowlist::DIR)).map_err(unavailable)?;
        list.allow(&conf.sysctls).map_err(unavailable)?;
        Backups::of(network).probe().map_err(unavailable)
    }
}
