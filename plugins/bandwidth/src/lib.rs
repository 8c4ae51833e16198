//! `bandwidth`: limits the rate of a container's interface, in a chain behind a plugin that makes veth pairs.
//!
//! ADD puts a token bucket on the host end of the pair for what goes to the container, and sends what comes from it
//! through an ifb with a token bucket of its own. tc is spoken natively.
//!
//! Host state: the ifb, `bwp` + 12 hex digits, tagged with its owner (`ip link show` prints it as the alias), which DEL
//! removes from (network, container id, ifname) alone and GC when the attachment is no longer valid; the qdiscs and the
//! filter of the host end, which go with the pair.
//!
//! Differs from the reference: see README.md.

mod add;
mod check;
mod host_end;
mod limit;

use cni_net::{Rtnl, TokenBucket, ifb};
use cni_skel::{About, Attachment, Detachment, Plugin};
use cni_types::{CniResult, Network, Result, SpecVersion};

use limit::Limits;

/// Result lists of interfaces came with 0.3.0, and without one there is nothing to limit.
const VERSIONS: [SpecVersion; 5] =
    [SpecVersion::V0_3_0, SpecVersion::V0_3_1, SpecVersion::V0_4_0, SpecVersion::V1_0_0, SpecVersion::V1_1_0];

/// The plugin.
pub struct Bandwidth;

impl Plugin for Bandwidth {
    fn about(&self) -> About {
        About { name: "bandwidth", versions: &VERSIONS }
    }

    fn add(&self, attachment: &Attachment) -> Result<CniResult> {
        add::add(attachment)
    }

    fn check(&self, attachment: &Attachment) -> Result<()> {
        check::check(attachment)
    }

    /// Needs none of its own keys, so limits that make no sense any more cannot keep a container from going.
    fn del(&self, detachment: &Detachment) -> Result<()> {
        let host = Rtnl::open()?;
        let link = match ifb::find(&host, &detachment.id)? {
            None if may_be_the_references(detachment) => ifb::find_untagged(&host, &detachment.id)?,
            found => found,
        };
        link.map_or(Ok(()), |link| host.remove_link_if_present(link.index))
    }

    fn gc(&self, network: &Network) -> Result<()> {
        let valid = network.valid_attachments()?;
        ifb::collect(&Rtnl::open()?, &network.name, &valid)
    }

    fn status(&self, network: &Network) -> Result<()> {
        Limits::read(network)?;
        cni_net::try_out("limit rates", probe)
    }
}

/// The reference names a container's ifb without regard to the interface. With the result at hand, one that is not in
/// it belongs to another interface.
fn may_be_the_references(detachment: &Detachment) -> bool {
    let name = ifb::reference_name(&detachment.id);
    let prev_result = detachment.network.prev_result().ok().flatten();
    prev_result.is_none_or(|result| result.interfaces.iter().any(|i| i.name == name))
}

/// Everything ADD does, on an ifb in place of the pair.
fn probe(rtnl: &Rtnl) -> Result<()> {
    let link = ifb::probe(rtnl)?;
    rtnl.add_token_bucket(&link, &TokenBucket::new(125_000, 12_500))?;
    rtnl.add_ingress_qdisc(&link)?;
    rtnl.add_redirect(&link, &link)
}
