//! `vrf`: puts a container's interface into a VRF, a routing domain of its own, in a chain behind the plugin that made
//! the interface.
//!
//! ADD makes the VRF in the container's namespace where there is none of this name, makes the interface its member, and
//! puts back what the kernel takes from an interface then: IPv6 addresses and routes, the latter in the VRF's table.
//!
//! Host state: none. In the container's namespace the VRF, tagged with the attachment that it was made for (`ip link show`
//! prints the tag as its alias). DEL takes the interface out and deletes the VRF with its last member.
//!
//! Differs from the reference: see README.md.

mod add;
mod check;
mod conf;
mod del;

use cni_net::vrf;
use cni_skel::{About, Attachment, Detachment, Plugin};
use cni_types::{CniResult, Network, Result, SpecVersion};

use conf::Conf;

/// The reference's: from 0.3.1 on.
const VERSIONS: [SpecVersion; 4] =
    [SpecVersion::V0_3_1, SpecVersion::V0_4_0, SpecVersion::V1_0_0, SpecVersion::V1_1_0];

/// The plugin.
pub struct Vrf;

impl Plugin for Vrf {
    fn about(&self) -> About {
        About { name: "vrf", versions: &VERSIONS }
    }

    fn add(&self, attachment: &Attachment) -> Result<CniResult> {
        add::add(attachment)
    }

    fn check(&self, attachment: &Attachment) -> Result<()> {
        check::check(attachment)
    }

    fn del(&self, detachment: &Detachment) -> Result<()> {
        del::del(detachment)
    }

    /// There is nothing on the host, and what is in a container goes with it; the list still has to be one.
    fn gc(&self, network: &Network) -> Result<()> {
        network.valid_attachments().map(drop)
    }

    fn status(&self, network: &Network) -> Result<()> {
        Conf::read(network)?;
        cni_net::try_out("make VRFs", vrf::probe)
    }
}
