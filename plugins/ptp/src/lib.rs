//! `ptp`: one veth pair between the host and the container, routed.
//!
//! ADD makes the pair complete in one request, gives the container its addresses with everything routed through the
//! gateway, puts the gateway's address on the host end and a host route to the container behind it, enables
//! forwarding of the families in use and, with `ipMasq`, masquerades what leaves the subnet.
//!
//! Host state: the host end `veth` + 8 hex digits of the attachment's hash, tagged with its owner (`ip link show`
//! prints it as the alias), masquerade entries, the forwarding sysctls (never reverted). DEL removes all but the
//! sysctls, from (network, container id, ifname) alone. GC removes tagged host ends, masquerade entries and addresses
//! of attachments that are no longer valid.
//!
//! Differs from the reference: see README.md.

mod add;
mod check;
mod conf;
mod end;

use cni_filter::Filter;
use cni_filter::masquerade;
use cni_net::{Rtnl, forwarding, veth};
use cni_skel::delegate::ipam;
use cni_skel::{About, Attachment, Detachment, Plugin};
use cni_types::{CniResult, Error, Network, Result, SpecVersion};

use conf::Conf;

/// The plugin.
pub struct Ptp;

impl Plugin for Ptp {
    fn about(&self) -> About {
        About { name: "ptp", versions: &SpecVersion::ALL }
    }

    fn add(&self, attachment: &Attachment) -> Result<CniResult> {
        add::add(attachment)
    }

    fn check(&self, attachment: &Attachment) -> Result<()> {
        check::check(attachment)
    }

    fn del(&self, detachment: &Detachment) -> Result<()> {
        // Closing its socket after a delete waits for the kernel; dropped last, it waits along with the link.
        let filter = Filter::new();
        let prev_result = detachment.network.prev_result().ok().flatten().unwrap_or_default();
        let hints: Vec<_> = prev_result.ips.iter().map(|ip| ip.address.ip()).collect();
        let mut failures = Vec::new();
        failures.extend(masquerade::remove(&filter, &detachment.id, &hints).err());
        let remove_link = || veth::remove_if_present(&detachment.id, detachment.netns.as_deref());
        failures.extend(ipam::detach(detachment, remove_link).err());
        Error::all(failures)
    }

    fn gc(&self, network: &Network) -> Result<()> {
        let valid = network.valid_attachments()?;
        let steps = [
            masquerade::collect(&Filter::new(), &network.name, &valid),
            Rtnl::open().and_then(|host| veth::collect(&host, &network.name, &valid)),
            ipam::gc(network),
        ];
        Error::all(steps.into_iter().filter_map(Result::err).collect())
    }

    fn status(&self, network: &Network) -> Result<()> {
        let conf = Conf::read(network)?;
        ipam::required(network)?;
        ipam::status(network)?;
        cni_net::try_out("make veth pairs", veth::probe)?;
        forwarding::status()?;
        if !conf.masquerade {
            return Ok(());
        }
        masquerade::status(&Filter::new(), conf.backend)
    }
}
