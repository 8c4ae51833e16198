//! `bridge`: connects a container to a Linux bridge on the host by a veth pair.
//!
//! ADD makes the bridge if it is not there, the pair complete in one request (host end a port of the bridge, the other
//! end in the container), VLANs and port flags, the container's addresses and routes, the gateway's address on the
//! bridge, masquerade and the MAC spoof check; waits until the port forwards; corrects the host's neighbour entries and
//! announces the addresses.
//!
//! Host state: the bridge, a VLAN's gateway link `<bridge>.<vlan>` and the forwarding sysctls stay for good; the host
//! end `veth` + 8 hex digits of the attachment's hash carries its owner's tag as alias; masquerade and spoof-check
//! entries carry it as comment. DEL removes all that belongs to the attachment from (network, container id, ifname)
//! alone. GC removes what belongs to attachments of the network that are no longer valid.
//!
//! Differs from the reference: see README.md.

mod add;
mod check;
mod conf;
mod gateway;

use cni_filter::{Filter, masquerade, spoof};
use cni_net::bridge::{self, uplink};
use cni_net::{Rtnl, forwarding, veth};
use cni_skel::delegate::ipam;
use cni_skel::{About, Attachment, Detachment, Plugin};
use cni_types::{CniResult, Code, Error, Network, Result, SpecVersion};

use conf::Conf;

/// The plugin.
pub struct Bridge;

impl Plugin for Bridge {
    fn about(&self) -> About {
        About { name: "bridge", versions: &SpecVersion::ALL }
    }

    fn add(&self, attachment: &Attachment) -> Result<CniResult> {
        add::add(attachment)
    }

    fn check(&self, attachment: &Attachment) -> Result<()> {
        check::check(attachment)
    }

    /// Needs none of its own keys, so a configuration that no longer makes sense cannot keep a container from going.
    fn del(&self, detachment: &Detachment) -> Result<()> {
        // Closing its socket after a delete waits for the kernel; dropped last, it waits along with the link.
        let filter = Filter::new();
        let prev_result = detachment.network.prev_result().ok().flatten().unwrap_or_default();
        let hints: Vec<_> = prev_result.ips.iter().map(|ip| ip.address.ip()).collect();
        let rules =
            [masquerade::remove(&filter, &detachment.id, &hints), spoof::remove(&filter, &detachment.id)];
        let mut failures: Vec<_> = rules.into_iter().filter_map(Result::err).collect();
        let remove_link = || veth::remove_if_present(&detachment.id, detachment.netns.as_deref());
        failures.extend(ipam::detach(detachment, remove_link).err());
        Error::all(failures)
    }

    fn gc(&self, network: &Network) -> Result<()> {
        let valid = network.valid_attachments()?;
        let filter = Filter::new();
        let steps = [
            masquerade::collect(&filter, &network.name, &valid),
            spoof::collect(&filter, &network.name, &valid),
            Rtnl::open().and_then(|host| veth::collect(&host, &network.name, &valid)),
            ipam::gc(network),
        ];
        Error::all(steps.into_iter().filter_map(Result::err).collect())
    }

    fn status(&self, network: &Network) -> Result<()> {
        let conf = Conf::read(network)?;
        ipam::status(network)?;
        let unavailable = |e: Error| Error { code: Code::UNAVAILABLE, ..e };
        let wanted = conf.wanted_bridge();
        bridge::probe(&conf.bridge, &wanted)?;
        let host = Rtnl::open()?;
        if let Some(link) = bridge::find(&host, &conf.bridge, &wanted).map_err(unavailable)? {
            let ports = bridge::port_count(&host, &link)?;
            if ports >= bridge::MAX_PORTS {
                return Err(Error::unavailable(format!(
                    "bridge {} is full: it has {ports} ports",
                    link.name
                )));
            }
            if let Some((name, _)) = &conf.vlan_link {
                uplink::find(&host, &link, name).map_err(unavailable)?;
            }
        }
        if conf.is_gateway && conf.has_ipam {
            forwarding::status()?;
        }
        let filter = Filter::new();
        if conf.mac_spoof_check {
            spoof::status(&filter)?;
        }
        if !conf.masquerade {
            return Ok(());
        }
        masquerade::status(&filter, conf.backend)
    }
}
