//! ADD.

use cni_net::attach::{self, Addresses, Site};
use cni_net::{Link, Shape};
use cni_skel::delegate::ipam;
use cni_skel::{Attachment, Undo};
use cni_types::{CniResult, Interface, Result};

use crate::back;
use crate::conf::Conf;
use crate::device::Device;
use crate::held::{Entry, Held};
use crate::host::Host;
use crate::restore::{restore_returned, wait_for_return};
use crate::select::{Selected, select};

pub(crate) fn add(attachment: &Attachment) -> Result<CniResult> {
    let conf = Conf::read(&attachment.network)?;
    conf.refuse_none()?;
    let site = Site::open_for_add(attachment)?;
    let (held, own) = (Held::new(), Held::new().find(&attachment.id));
    let others = held.of_others(Some(&attachment.id))?;
    let mut host = Host::new(site.host.clone());
    if let Some(own) = &own {
        back::refuse_second(&own.device)?;
        await_return(&host, &own.device)?;
    }
    if restore_returned(&host, &held, own.iter().chain(&others)) {
        host = host.anew();
    }
    let dns = attachment.network.dns()?;
    match select(&conf, &host, &others)? {
        Selected::Link(link) => {
            let mut undo = Undo::new();
            let link = take(&site, &link, &others, &mut undo)?;
            attach::add(&site, &link, Addresses::Ipam, dns, false, undo)
        }
        Selected::Userspace(_) => {
            let mut result = addresses_only(attachment)?;
            result.dns = dns.unwrap_or(result.dns);
            Ok(result)
        }
    }
}

/// The container was restarted under its id: its device may be on its way back.
fn await_return(host: &Host, own: &Device) -> Result<()> {
    if own.outlives_its_namespace() && own.find_on_host(host.links()?).is_none() {
        wait_for_return(host, own, back::RETURN_LIMIT)?;
    }
    Ok(())
}

/// The record is there before the device goes: a DEL after an ADD that was killed gives it back.
fn take<'a>(site: &'a Site<'a>, link: &Link, others: &[Entry], undo: &mut Undo<'a>) -> Result<Link> {
    let id = &site.attachment.id;
    let path = site.attachment.netns.as_path();
    let held = Held::new();
    let device = Device::of(link, path.to_string_lossy().into_owned(), site.inside.netns_cookie());
    undo.push(format!("give {} back", device.name), move || back::give_back(&Held::new(), id, Some(path)));
    held.write(id, &device)?;
    // The alias is the reference's: it finds the device's name on the host there.
    let shape = Shape { name: id.ifname.as_str(), alias: &device.name, mac: None, mtu: None, flags: None };
    site.host.move_link(link, &site.netns, &shape)?;
    // It was on the host, so whoever is recorded to have it had it before.
    for other in others.iter().filter(|other| other.device.find_on_host(std::slice::from_ref(link)).is_some())
    {
        held.forget(other)?;
    }
    site.inside.link(id.ifname.as_str())
}

/// For a device without an interface.
fn addresses_only(attachment: &Attachment) -> Result<CniResult> {
    let mut undo = Undo::new();
    let mut result = match attachment.network.ipam_type()? {
        Some(_) => ipam::lease(attachment, &mut undo)?,
        None => CniResult::default(),
    };
    for ip in &mut result.ips {
        ip.interface = Some(0);
    }
    result.interfaces = vec![Interface {
        name: attachment.id.ifname.to_string(),
        sandbox: attachment.netns.to_string_lossy().into_owned(),
        ..Interface::default()
    }];
    undo.commit();
    Ok(result)
}
