//! CHECK.

use cni_net::{Netns, Rtnl, attach, check};
use cni_skel::Attachment;
use cni_skel::delegate::ipam;
use cni_types::{Error, Result};

use crate::conf::Conf;
use crate::held::Held;
use crate::select;

/// # Errors
/// Code 103 with the first difference; those of the IPAM plugin.
pub(crate) fn check(attachment: &Attachment) -> Result<()> {
    let conf = Conf::read(&attachment.network)?;
    conf.refuse_none()?;
    if select::find_userspace(&conf).is_some() {
        ipam::check(attachment)?;
        return check::container_entry(attachment, &check::prev_result(attachment)?).map(drop);
    }
    let device = Held::new().read(&attachment.id)?;
    let kind = match &device {
        Some(device) => device.kind.clone(),
        // What the reference moved has no record.
        None => present_kind(attachment)?,
    };
    attach::check(attachment, &kind, |_, link, _| match device {
        Some(device) if device.find_inside(std::slice::from_ref(link)).is_none() => {
            Err(Error::check(format!("link {} is not the device {} of the host", link.name, device.name)))
        }
        _ if !link.is_up() => Err(Error::check(format!("link {} is down", link.name))),
        _ => Ok(()),
    })
}

fn present_kind(attachment: &Attachment) -> Result<String> {
    let inside = Rtnl::open_in(&Netns::open(&attachment.netns)?)?;
    Ok(inside.find_link(attachment.id.ifname.as_str())?.map(|link| link.kind).unwrap_or_default())
}
