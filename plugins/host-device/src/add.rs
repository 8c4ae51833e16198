//! ADD.

use cni_net::configure::{self, Duplicates, Subnet};
use cni_net::{IFF_UP, Link, Netns, Rtnl, Shape};
use cni_types::delegate::ipam;
use cni_types::{Attachment, CniResult, Interface, Result, Undo};

use crate::back;
use crate::conf::Conf;
use crate::device::Device;
use crate::held::{Entry, Held};
use crate::select::{Selected, select};

pub(crate) fn add(attachment: &Attachment) -> Result<CniResult> {
    let id = &attachment.id;
    let conf = Conf::read(&attachment.network)?;
    conf.refuse_none()?;
    let netns = Netns::open(&attachment.netns)?;
    let host = Rtnl::open()?;
    let inside = Rtnl::open_in(&netns)?;
    inside.refuse_taken(&id.ifname, &netns)?;
    let held = Held::new();
    let others = held.of_others(Some(id))?;
    back::restore_returned(&host, &others);
    let mut undo = Undo::new();
    let ends = Ends { attachment, netns: &netns, host: &host, inside: &inside };
    let link = match select(&conf, &host, &others)? {
        Selected::Link(link) => Some(ends.take(&link, &others, &mut undo)?),
        Selected::Userspace(_) => None,
    };
    let mut result = match attachment.network.ipam_type()? {
        Some(_) => ipam::lease(attachment, &mut undo)?,
        None => CniResult::default(),
    };
    for ip in &mut result.ips {
        ip.interface = Some(0);
    }
    if let Some(link) = &link {
        ends.configure(link, &result)?;
    }
    result.interfaces = vec![interface(attachment, link.as_ref())];
    if let Some(dns) = attachment.network.dns()? {
        result.dns = dns;
    }
    undo.commit();
    Ok(result)
}

/// Both ends of the move.
struct Ends<'a> {
    attachment: &'a Attachment,
    netns: &'a Netns,
    host: &'a Rtnl,
    inside: &'a Rtnl,
}

impl<'a> Ends<'a> {
    /// The record is there before the device goes: a DEL after an ADD that was killed gives it back.
    fn take(&self, link: &Link, others: &[Entry], undo: &mut Undo<'a>) -> Result<Link> {
        let id = &self.attachment.id;
        let path = self.attachment.netns.as_path();
        let device = Device::of(link, path.to_string_lossy().into_owned());
        undo.push(format!("give {} back", device.name), move || {
            back::give_back(&Held::new(), id, Some(path))
        });
        let held = Held::new();
        held.write(id, &device)?;
        // The alias is the reference's: it finds the device's name on the host there.
        let shape =
            Shape { name: id.ifname.as_str(), alias: &device.name, mac: None, mtu: None, flags: None };
        self.host.move_link(link, self.netns, &shape)?;
        // It was on the host, so whoever is recorded to have it had it before.
        for other in others.iter().filter(|other| other.device.find(std::slice::from_ref(link)).is_some()) {
            held.forget(other)?;
        }
        self.inside.link(id.ifname.as_str())
    }

    fn configure(&self, link: &Link, result: &CniResult) -> Result<()> {
        if result.ips.is_empty() {
            return self.inside.set_flags(link, IFF_UP, IFF_UP);
        }
        let interface = configure::Interface {
            inside: self.inside,
            netns: self.netns,
            name: &self.attachment.id.ifname,
            index: link.index,
        };
        configure::prepare(&interface, &[], result.ips.iter().any(|ip| !ip.address.is_ipv4()))?;
        configure::configure(&interface, result, Duplicates::Trusted, &Subnet::OnLink)
    }
}

fn interface(attachment: &Attachment, link: Option<&Link>) -> Interface {
    Interface {
        name: attachment.id.ifname.to_string(),
        mac: link.map(Link::mac_text).unwrap_or_default(),
        mtu: link.map(|link| link.mtu).unwrap_or_default(),
        sandbox: attachment.netns.to_string_lossy().into_owned(),
        ..Interface::default()
    }
}
