//! CHECK.

use cni_filter::Filter;
use cni_filter::masquerade;
use cni_net::{Link, Netns, Rtnl, check, forwarding};
use cni_skel::Attachment;
use cni_skel::delegate::ipam;
use cni_types::{Cidr, Error, Family, Result, Route};

use crate::conf::Conf;
use crate::end::End;

/// # Errors
/// Code 103 with the first difference between the previous result, the configuration and the kernel.
pub(crate) fn check(attachment: &Attachment) -> Result<()> {
    let conf = Conf::read(&attachment.network)?;
    ipam::check(attachment)?;
    let mut result = check::prev_result(attachment)?;
    let (index, entry) = check::container_entry(attachment, &result)?;
    let entry = entry.clone();
    let ends = End::all(check::ips_of(&result, index))?;
    let host = Rtnl::open()?;
    let inside = Rtnl::open_in(&Netns::open(&attachment.netns)?)?;
    result.routes.extend(ends.iter().map(|end| Route::new(Cidr::host(end.gateway), None)));
    let container = check::container(&inside, attachment, &result, "veth")?;
    check::mtu(&container, &entry, conf.mtu)?;
    check::up(&container)?;
    let port = check::host_end(&host, &result, &container, conf.mtu)?;
    on_the_host(&host, &port, &ends)?;
    if !conf.masquerade {
        return Ok(());
    }
    let filter = Filter::new();
    let ips: Vec<_> = result.ips.iter().map(|ip| ip.address).collect();
    masquerade::check(&filter, conf.backend, &attachment.id, &ips)
}

/// The gateways' addresses, the ways to the container, and forwarding.
fn on_the_host(host: &Rtnl, port: &Link, ends: &[End]) -> Result<()> {
    let name = &port.name;
    let addresses = host.addresses(port.index)?;
    for end in ends {
        let gateway = Cidr::host(end.gateway);
        if !addresses.iter().any(|address| address.cidr == gateway) {
            return Err(Error::check(format!("the gateway's address {gateway} is missing on {name}")));
        }
        let ip = end.container.ip();
        if host.output_link(ip)? != Some(port.index) {
            return Err(Error::check(format!("the host has no route to {ip} through {name}")));
        }
    }
    let families =
        Family::ALL.into_iter().filter(|family| ends.iter().any(|e| e.container.family() == *family));
    families.into_iter().try_for_each(forwarding::check)
}
