//! STATUS.

use cni_net::Rtnl;
use cni_types::delegate::{self, Verb};
use cni_types::{Code, Doing, Error, Network, Result};

use crate::conf::Conf;
use crate::delegate::Delegate;
use crate::saved::Saved;
use crate::subnet::SubnetEnv;

/// Whether an ADD would work and give an address that the other nodes route to here, and whether the delegate says the
/// same.
///
/// # Errors
/// Code 50 with the reason, or the delegate's own.
pub(crate) fn status(network: &Network) -> Result<()> {
    let unavailable = |e: Error| Error { code: Code::UNAVAILABLE, ..e };
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
    delegate.run(Verb::Status, network).map(drop)
}

/// flanneld gives its link an address of the node's subnet, and a bridge has its gateway. One with addresses of the
/// cluster's network but none of this subnet is of another lease: flanneld got a new one and the bridge has not been
/// made anew, or the file is an old one.
fn refuse_other_subnet(delegate: &Delegate, subnet: &SubnetEnv) -> Result<()> {
    let bridge = (delegate.plugin.as_str() == "bridge")
        .then(|| delegate.conf.get_str("bridge").filter(|name| !name.is_empty()).unwrap_or("cni0"));
    let host = Rtnl::open()?;
    let links = host.links(None)?;
    // flannel.<vni> and flannel-v6.<vni>, as the vxlan backend calls them.
    for link in links.iter().filter(|l| l.name.starts_with("flannel") || Some(l.name.as_str()) == bridge) {
        let addresses = host.addresses(link.index)?;
        for own in &subnet.subnets {
            let of_family = addresses.iter().map(|a| a.cidr.ip()).filter(|ip| ip.is_ipv4() == own.is_ipv4());
            let of_family: Vec<_> = of_family.collect();
            if of_family.iter().any(|ip| own.contains(*ip)) {
                continue;
            }
            let in_cluster = |ip| subnet.networks.iter().find(|network| network.contains(ip));
            if let Some((ip, network)) = of_family.iter().find_map(|ip| Some((ip, in_cluster(*ip)?))) {
                let name = &link.name;
                return Err(Error::unavailable(format!(
                    "{name} has the address {ip} of {network}, outside this node's subnet {own}"
                ))
                .because(format!(
                    "a bridge of an earlier subnet goes with `ip link delete {name}` once its containers are gone; \
                     for flannel's own link, restart flanneld"
                )));
            }
        }
    }
    Ok(())
}
