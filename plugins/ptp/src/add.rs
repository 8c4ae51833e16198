//! ADD.

use cni_filter::Filter;
use cni_filter::masquerade;
use cni_net::configure::{self, Duplicates, Interface, Subnet};
use cni_net::veth::{self, Veth};
use cni_net::{Netns, Rtnl, forwarding, sysctl};
use cni_skel::delegate::ipam;
use cni_skel::{Attachment, Undo};
use cni_types::{self as cni, Cidr, CniResult, Family, Result};

use crate::conf::Conf;
use crate::end::End;

pub(crate) fn add(attachment: &Attachment) -> Result<CniResult> {
    let id = &attachment.id;
    let conf = Conf::read(&attachment.network)?;
    let netns = Netns::open(&attachment.netns)?;
    let host = Rtnl::open()?;
    let inside = Rtnl::open_in(&netns)?;
    inside.refuse_taken(&id.ifname, &netns)?;
    veth::refuse_second(&host, &inside, &netns, id)?;
    let filter = Filter::new();
    let mut undo = Undo::new();

    ipam::required(&attachment.network)?;
    let wanted = veth::Wanted { mtu: conf.mtu, ..veth::Wanted::default() };
    let veth = veth::create(&host, &inside, &netns, id, &wanted)?;
    let (undo_host, index) = (host.clone(), veth.host.index);
    undo.push(format!("delete link {}", veth.host.name), move || undo_host.remove_link_if_present(index));
    // The host asks for the container's hardware address from the pair's link-local address, which duplicate detection
    // would keep from use for up to two seconds.
    sysctl::write_if_possible(&format!("ipv6/conf/{}/accept_dad", veth.host.name), "0");

    // The link is there when IPAM is asked: an IPAM plugin may need it, as dhcp does.
    let mut result = ipam::lease(attachment, &mut undo)?;
    for ip in &mut result.ips {
        ip.interface = Some(1);
    }
    let ends = End::all(&result.ips)?;
    for family in Family::ALL {
        if ends.iter().any(|end| end.container.family() == family) {
            forwarding::ensure(family)?;
        }
    }

    let interface =
        Interface { inside: &inside, netns: &netns, name: &id.ifname, index: veth.container_index };
    configure::prepare(&interface, &[], result.ips.iter().any(|ip| !ip.address.is_ipv4()))?;
    let subnet =
        Subnet::Through(ends.iter().flat_map(|end| end.container_routes(veth.container_index)).collect());
    configure::configure(&interface, &result, Duplicates::Trusted, &subnet)?;
    for end in &ends {
        if !end.gateway.is_ipv4() {
            sysctl::ensure_ipv6(&veth.host.name)?;
        }
        host.ensure_address(veth.host.index, &veth.host.name, Cidr::host(end.gateway))?;
        host.ensure_route(&end.host_route(veth.host.index))?;
    }

    if conf.masquerade {
        let ips: Vec<_> = ends.iter().map(|end| end.container).collect();
        let (filter, addresses): (_, Vec<_>) = (&filter, ips.iter().map(Cidr::ip).collect());
        undo.push("remove the masquerade", move || masquerade::remove(filter, id, &addresses));
        masquerade::add(filter, conf.backend, id, &ips)?;
    }
    result.interfaces = interfaces(attachment, &veth);
    if let Some(dns) = conf.dns {
        result.dns = dns;
    }
    undo.commit();
    Ok(result)
}

fn interfaces(attachment: &Attachment, veth: &Veth) -> Vec<cni::Interface> {
    let host = cni::Interface {
        name: veth.host.name.clone(),
        mac: veth.host.mac_text(),
        mtu: veth.host.mtu,
        ..cni::Interface::default()
    };
    let container = cni::Interface {
        name: attachment.id.ifname.to_string(),
        mac: veth.container_mac.to_string(),
        mtu: veth.host.mtu,
        sandbox: attachment.netns.to_string_lossy().into_owned(),
        ..cni::Interface::default()
    };
    vec![host, container]
}
