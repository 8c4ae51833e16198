//! The device in the container, as a part.

use cni_net::configure::Told;
use cni_net::{Link, Shape, check};
use cni_part::{Configured, Expected, Held, Host, Lease, Made, Owned, Part, Parts, Site, Whose};
use cni_skel::Undo;
use cni_types::{Error, Network, Result, Stale};

use crate::back;
use crate::conf::Conf;
use crate::device::Device;
use crate::devices::{Devices, HeldDevice};
use crate::host_links::HostLinks;
use crate::restore::{restore_returned, wait_for_return};
use crate::select::{self, Selected, select};

/// # Errors
/// As [`cni_part::PartPlugin::parts`].
pub(crate) fn parts(network: &Network) -> Result<Parts> {
    let device = DevicePart(Conf::read(network)?);
    Ok(vec![Box::new(device), Box::new(Lease::new(network)?), Box::new(Configured::trusted(Told::Nobody))])
}

/// The device that the configuration selects, in the container. One that a program drives has no interface.
pub(crate) struct DevicePart(pub(crate) Conf);

pub(crate) static OWNED: Moved = Moved;

impl Part for DevicePart {
    fn name(&self) -> &'static str {
        OWNED.name()
    }

    fn owned(&self) -> Option<&'static dyn Owned> {
        Some(&OWNED)
    }

    fn refuse(&self, site: &Site<'_>, _made: &mut Made) -> Result<()> {
        self.0.refuse_none()?;
        site.refuse_taken()
    }

    fn add<'a>(&'a self, site: &'a Site<'a>, made: &mut Made, undo: &mut Undo<'a>) -> Result<()> {
        let id = &site.attachment.id;
        let (devices, own) = (Devices::new(), Devices::new().find(id));
        let others = devices.of_others(Some(id))?;
        let mut host = HostLinks::new(site.host.rtnl()?.clone());
        if let Some(own) = &own {
            back::refuse_second(&own.device)?;
            await_return(&host, &own.device)?;
        }
        if restore_returned(&host, &devices, own.iter().chain(&others)) {
            host = host.anew();
        }
        if let Selected::Link(link) = select(&self.0, &host, &others)? {
            made.container = Some(take(site, &link, &others, undo)?);
        }
        Ok(())
    }

    fn tell(&self, site: &Site<'_>, made: &mut Made) -> Result<()> {
        made.tell_container(site.entry(made.container.as_ref()));
        Ok(())
    }

    fn check(&self, site: &Site<'_>, made: &mut Made) -> Result<()> {
        self.0.refuse_none()?;
        if select::find_userspace(&self.0).is_some() {
            return check::container_entry(site.attachment, &made.result).map(drop);
        }
        let id = &site.attachment.id;
        let device = Devices::new().read(id)?;
        let kind = match &device {
            Some(device) => device.kind.clone(),
            // What the reference moved has no record.
            None => site.inside()?.find_link(id.ifname.as_str())?.map(|link| link.kind).unwrap_or_default(),
        };
        let link = Expected { site, result: &made.result }.container(&kind, 0)?;
        let other = device.filter(|device| device.find_inside(std::slice::from_ref(&link)).is_none());
        if let Some(device) = other {
            let (is, name) = (&link.name, &device.name);
            return Err(Error::check(format!("link {is} is not the device {name} of the host")));
        }
        made.container = Some(link);
        Ok(())
    }

    fn status(&self, host: &Host, _network: &Network, _made: &mut Made) -> Result<()> {
        if !self.0.assigned_later {
            self.0.refuse_none()?;
        }
        let devices = Devices::new();
        devices.probe()?;
        let others = devices.of_others(None)?;
        select::ensure_present(&self.0, &HostLinks::new(host.rtnl()?.clone()), &others)
    }
}

/// The container was restarted under its id: its device may be on its way back.
fn await_return(host: &HostLinks, own: &Device) -> Result<()> {
    if own.outlives_its_namespace() && own.find_on_host(host.links()?).is_none() {
        wait_for_return(host, own, back::RETURN_LIMIT)?;
    }
    Ok(())
}

/// The record is there before the device goes: a DEL after an ADD that was killed gives it back.
fn take<'a>(site: &'a Site<'a>, link: &Link, others: &[HeldDevice], undo: &mut Undo<'a>) -> Result<Link> {
    let id = &site.attachment.id;
    let path = site.attachment.netns.as_path();
    let (devices, inside) = (Devices::new(), site.inside()?);
    let device = Device::of(link, path.to_string_lossy().into_owned(), inside.netns_cookie());
    undo.push(format!("give {} back", device.name), move || back::give_back(&Devices::new(), id, Some(path)));
    devices.write(id, &device)?;
    // The alias is the reference's: it finds the device's name on the host there.
    let shape = Shape { name: id.ifname.as_str(), alias: &device.name, mac: None, mtu: None, flags: None };
    site.host.rtnl()?.move_link(link, site.netns()?, &shape)?;
    // It was on the host, so whoever is recorded to have it had it before.
    let link = std::slice::from_ref(link);
    for other in others.iter().filter(|other| other.device.find_on_host(link).is_some()) {
        devices.forget(other)?;
    }
    inside.link(id.ifname.as_str())
}

/// The devices that attachments have, by their records.
pub(crate) struct Moved;

impl Owned for Moved {
    fn name(&self) -> &'static str {
        "device of the host"
    }

    fn remove(&self, host: &Host, whose: &Whose<'_>) -> Result<()> {
        let devices = Devices::new();
        match *whose {
            Whose::Attachment(detachment) => {
                back::give_back(&devices, &detachment.id, detachment.netns.as_deref())
            }
            Whose::Stale { owners, .. } => {
                let stale = devices.stale(owners)?;
                let host = HostLinks::new(host.rtnl()?.clone());
                Error::all(stale.iter().map(|entry| back::collect(&devices, &host, entry)))
            }
        }
    }

    fn held(&self, _host: &Host, network: &Network) -> Result<Vec<Held>> {
        let entries = Devices::new().stale(&Stale::all(&network.name))?.into_iter();
        Ok(entries.map(|entry| Held { owner: entry.owner, what: entry.device.name }).collect())
    }
}
