//! ADD.

use cni_net::attach::{self, Addresses, Site};
use cni_net::{Link, Shape};
use cni_types::delegate::ipam;
use cni_types::{Attachment, CniResult, Interface, Result, Undo};

use crate::back;
use crate::conf::Conf;
use crate::device::Device;
use crate::held::{Entry, Held};
use crate::select::{Selected, select};

pub(crate) fn add(attachment: &Attachment) -> Result<CniResult> {
    let conf = Conf::read(&attachment.network)?;
    conf.refuse_none()?;
    let site = Site::open_for_add(attachment)?;
    let others = Held::new().of_others(Some(&attachment.id))?;
    back::restore_returned(&site.host, &others);
    let dns = attachment.network.dns()?;
    match select(&conf, &site.host, &others)? {
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

/// The record is there before the device goes: a DEL after an ADD that was killed gives it back.
fn take<'a>(site: &'a Site<'a>, link: &Link, others: &[Entry], undo: &mut Undo<'a>) -> Result<Link> {
    let id = &site.attachment.id;
    let path = site.attachment.netns.as_path();
    let held = Held::new();
    let device = Device::of(link, path.to_string_lossy().into_owned());
    undo.push(format!("give {} back", device.name), move || back::give_back(&Held::new(), id, Some(path)));
    held.write(id, &device)?;
    // The alias is the reference's: it finds the device's name on the host there.
    let shape = Shape { name: id.ifname.as_str(), alias: &device.name, mac: None, mtu: None, flags: None };
    site.host.move_link(link, &site.netns, &shape)?;
    // It was on the host, so whoever is recorded to have it had it before.
    for other in others.iter().filter(|other| other.device.is(link)) {
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
