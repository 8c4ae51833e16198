//! One link in the container: what macvlan, ipvlan, vlan, tap, dummy and host-device all do around the link that each
//! of them makes. The order is the same for all: look, make the link, ask IPAM, configure, tell.

mod check;
mod del;
mod mac;
mod plugin;
mod wanted;

use cni_skel::delegate::ipam;
use cni_skel::{Attachment, Undo};
use cni_types::{self as cni, CniResult, Dns, Result};

pub use check::check;
pub use del::{del, gc};
pub use mac::{mac, mac_key};
pub use plugin::LinkPlugin;
pub use wanted::Wanted;

use crate::configure::{self, Duplicates, Interface, Subnet};
use crate::link::{Link, NewLink};
use crate::netns::Netns;
use crate::rtnl::Rtnl;

/// Where ADD and CHECK work: both namespaces of an attachment.
pub struct Site<'a> {
    /// The attachment.
    pub attachment: &'a Attachment,
    /// The container's namespace.
    pub netns: Netns,
    /// A socket on the host.
    pub host: Rtnl,
    /// A socket in the container.
    pub inside: Rtnl,
}

/// Where the addresses come from.
#[derive(Debug, Clone)]
pub enum Addresses {
    /// From the IPAM plugin; without one the network is layer 2 only.
    Ipam,
    /// These, from the plugin before.
    Given(Box<CniResult>),
}

impl<'a> Site<'a> {
    /// Opens both.
    ///
    /// # Errors
    /// Code 8 when the container's namespace cannot be used, code 100 when the kernel gives no socket.
    pub fn open(attachment: &'a Attachment) -> Result<Self> {
        let netns = Netns::open(&attachment.netns)?;
        let (host, inside) = (Rtnl::open()?, Rtnl::open_in(&netns)?);
        Ok(Self { attachment, netns, host, inside })
    }

    /// Opens both for ADD: the interface's name is free in the container.
    ///
    /// # Errors
    /// As [`Site::open`]; code 100 when the name is taken.
    pub fn open_for_add(attachment: &'a Attachment) -> Result<Self> {
        let site = Self::open(attachment)?;
        site.inside.refuse_taken(&attachment.id.ifname, &site.netns)?;
        Ok(site)
    }

    /// Makes the link in the container and registers its removal. The owner's tag on it is how DEL finds it although the
    /// container has renamed it.
    ///
    /// # Errors
    /// Those of making it; code 100 with what the kernel refused.
    pub fn create(&'a self, link: &NewLink<'_>, undo: &mut Undo<'a>) -> Result<Link> {
        let id = &self.attachment.id;
        link.create(&self.host, &self.inside, &self.netns)?;
        undo.push(format!("delete {} in the container", id.ifname), || {
            self.inside.remove_link_named_if_present(&id.ifname)
        });
        link.tag(&self.inside, id)
    }
}

/// The rest of ADD, behind a link that is there: gets the addresses, gives the link addresses and routes, brings it up
/// and says what there is now. `dns` replaces what IPAM says; `tell_segment`, for a link with neighbours, corrects their
/// entries of these addresses.
///
/// # Errors
/// Those of the IPAM plugin, and code 100 with what the kernel refused.
pub fn add<'a>(
    site: &'a Site<'a>,
    link: &Link,
    addresses: Addresses,
    dns: Option<Dns>,
    tell_segment: bool,
    mut undo: Undo<'a>,
) -> Result<CniResult> {
    let Attachment { id, network, .. } = site.attachment;
    let mut result = match addresses {
        Addresses::Given(result) => *result,
        Addresses::Ipam if network.ipam_type()?.is_none() => CniResult::default(),
        Addresses::Ipam => ipam::lease(site.attachment, &mut undo)?,
    };
    for ip in &mut result.ips {
        ip.interface = Some(0);
    }
    let interface =
        Interface { inside: &site.inside, netns: &site.netns, name: &id.ifname, index: link.index };
    if !result.ips.is_empty() {
        // Going up with its addresses, the link says who has them: a gratuitous ARP per IPv4 address, an unsolicited
        // neighbour advertisement per IPv6 address.
        let notify = ["ipv4/conf/IF/arp_notify", "ipv6/conf/IF/ndisc_notify"];
        let notify = notify.map(|name| (name.replace("IF", id.ifname.as_str()), "1"));
        let sysctls = if tell_segment { &notify[..] } else { &[] };
        configure::prepare(&interface, sysctls, result.ips.iter().any(|ip| !ip.address.is_ipv4()))?;
    }
    configure::configure(&interface, &result, Duplicates::Trusted, &Subnet::OnLink)?;
    result.interfaces = vec![entry(site, link)];
    if let Some(dns) = dns {
        result.dns = dns;
    }
    undo.commit();
    Ok(result)
}

fn entry(site: &Site<'_>, link: &Link) -> cni::Interface {
    cni::Interface {
        name: site.attachment.id.ifname.to_string(),
        mac: link.mac_text(),
        mtu: link.mtu,
        sandbox: site.attachment.netns.to_string_lossy().into_owned(),
        ..cni::Interface::default()
    }
}
