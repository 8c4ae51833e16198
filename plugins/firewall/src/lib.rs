//! `firewall`: what the host forwards for the containers of a chain is accepted, and bridges may be isolated.
//!
//! ADD accepts what the addresses of prevResult send, and the answers they get, unless the administrator's chain says
//! otherwise; with `ingressPolicy` it keeps apart what comes through different bridges (`same-bridge`) and the
//! containers of one bridge, too (`isolated`). The result is prevResult, unchanged.
//!
//! Backends are the reference's iptables chains, nftables natively, and firewalld over D-Bus. Host state: see `forward`. DEL removes what the container's addresses have, from (network, container
//! id, ifname) alone; GC does so for attachments that are no longer valid. Chains, sets, the administrator's chain and
//! the policies of bridges stay.
//!
//! Differs from the reference: see README.md.

mod bridged;
mod conf;
mod firewalld;
mod forward;

use cni_filter::Filter;
use cni_skel::{About, Attachment, Detachment, Plugin};
use cni_types::{CniResult, Network, Result, SpecVersion};

use conf::Conf;
use forward::Ingress;

/// The versions the reference knows, too.
const VERSIONS: [SpecVersion; 3] = [SpecVersion::V0_4_0, SpecVersion::V1_0_0, SpecVersion::V1_1_0];

/// The plugin.
pub struct Firewall;

impl Plugin for Firewall {
    fn about(&self) -> About {
        About { name: "firewall", versions: &VERSIONS }
    }

    fn add(&self, attachment: &Attachment) -> Result<CniResult> {
        let id = &attachment.id;
        let conf = Conf::read(&attachment.network)?;
        let backend = conf.backend;
        let policy = conf.policy(&attachment.network)?;
        let result = attachment.network.chained_result("firewall")?;
        if policy.isolation.as_ref().is_some_and(|isolation| isolation.ingress == Ingress::Isolated) {
            bridged::warn_unless_filtered();
        }
        attachment.is_repeated.set(forward::is_known(id));
        forward::add(&Filter::new(), backend, id, &policy)?;
        Ok(result)
    }

    fn check(&self, attachment: &Attachment) -> Result<()> {
        let conf = Conf::read(&attachment.network)?;
        let backend = conf.backend;
        let policy = conf.policy(&attachment.network)?;
        forward::check(&Filter::new(), backend, &attachment.id, &policy)
    }

    fn del(&self, detachment: &Detachment) -> Result<()> {
        let prev_result = detachment.network.prev_result().ok().flatten().unwrap_or_default();
        let hints: Vec<_> = prev_result.ips.iter().map(|ip| ip.address.ip()).collect();
        let zone = conf::zone_hint(&detachment.network);
        forward::remove(&Filter::new(), &detachment.id, &hints, zone.as_ref())
    }

    fn gc(&self, network: &Network) -> Result<()> {
        forward::collect(&Filter::new(), &network.name, &network.valid_attachments()?)
    }

    fn status(&self, network: &Network) -> Result<()> {
        let conf = Conf::read(network)?;
        if conf.isolates_containers() {
            bridged::warn_unless_filtered();
        }
        forward::status(&Filter::new(), conf.backend, conf.isolates())
    }
}
