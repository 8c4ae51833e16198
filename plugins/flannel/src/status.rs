//! STATUS.

use std::net::IpAddr;

use cni_net::Rtnl;
use cni_skel::Delegates;
use cni_skel::delegate::{self, Verb};
use cni_types::{Cidr, Code, Doing, Error, Family, Json, Network, Result};

use crate::conf::Conf;
use crate::delegate::Delegate;
use crate::saved::Saved;
use crate::subnet::SubnetEnv;

/// Whether an ADD would work and give an address that the other nodes route to here, and whether the delegate says the
/// same.
///
/// # Errors
/// Code 50 with the reason, or the delegate's own.
pub(crate) fn status(delegates: &Delegates, network: &Network) -> Result<()> {
    let unavailable = |e: Error| e.with_code(Code::UNAVAILABLE);
    let conf = Conf::read(network)?;
    let subnet = SubnetEnv::read(&conf.subnet_file).map_err(unavailable)?;
    let file = conf.subnet_file.display().to_string();
    let delegate = Delegate::build(network, conf, &subnet);
    Saved::of(network).probe().map_err(unavailable)?;
    delegate::find(&delegate.plugin, &network.cni_path)
        .map_err(unavailable)
        .doing("the delegate is not installed")?;
    refuse_other_subnet(&delegate, &subnet)
        .doing(format!("{file} is not what this node's links were made by"))?;
    delegate.run(delegates, Verb::Status, network).map(drop)
}

/// flanneld gives its link an address of the node's subnet; of another one, the link or the file is of another lease. A
/// bridge of an earlier lease keeps its gateway address, and ADD is refused.
fn refuse_other_subnet(delegate: &Delegate, subnet: &SubnetEnv) -> Result<()> {
    let host = Rtnl::open()?;
    let bridge = gateway_bridge(delegate);
    let in_cluster = |ip| subnet.networks.iter().any(|network| network.contains(ip));
    for link in host.links()? {
        let is_bridge = bridge == Some(link.name.as_str());
        // flannel.<vni>, flannel-v6.<vni>, flannel-wg and so on: each backend has its own.
        if !is_bridge && !link.name.starts_with("flannel") {
            continue;
        }
        let addresses = host.addresses(link.index)?;
        // IPv6 gateways get along with each other on a bridge.
        for own in subnet.subnets.iter().filter(|own| !is_bridge || own.is_ipv4()) {
            let ips = addresses.iter().map(|a| a.cidr.ip()).filter(|ip| Family::of(*ip) == own.family());
            let ips: Vec<_> = ips.collect();
            if ips.iter().any(|ip| own.contains(*ip)) {
                continue;
            }
            if let Some(ip) = ips.into_iter().find(|ip| is_bridge || in_cluster(*ip)) {
                return Err(other_subnet(&link.name, is_bridge, ip, *own));
            }
        }
    }
    Ok(())
}

/// The bridge that gets a gateway of the node's subnet and may not lose another one for it.
fn gateway_bridge(delegate: &Delegate) -> Option<&str> {
    let is = |key| delegate.conf.get(key) == Some(&Json::Bool(true));
    let gateway = is("isGateway") || is("isDefaultGateway");
    let name = delegate.conf.get_str("bridge").filter(|name| !name.is_empty()).unwrap_or("cni0");
    (delegate.plugin.as_str() == "bridge" && gateway && !is("forceAddress")).then_some(name)
}

fn other_subnet(link: &str, is_bridge: bool, ip: IpAddr, own: Cidr) -> Error {
    let next = if is_bridge {
        format!("once the containers of the earlier subnet are gone, `ip link delete {link}`")
    } else {
        "flanneld got another subnet and has not written it, or did not make this link: restart it".to_owned()
    };
    Error::unavailable(format!("{link} has the address {ip}, outside this node's subnet {own}")).because(next)
}
