//! CHECK.

use cni_net::{Netns, Rtnl, check};
use cni_types::delegate::ipam;
use cni_types::{Attachment, Error, Result};

use crate::conf::Conf;
use crate::held::Held;
use crate::select;

pub(crate) fn check(attachment: &Attachment) -> Result<()> {
    let conf = Conf::read(&attachment.network)?;
    conf.refuse_none()?;
    ipam::check(attachment)?;
    let result = check::prev_result(attachment)?;
    check::container_entry(attachment, &result)?;
    if select::find_userspace(&conf).is_some() {
        return Ok(());
    }
    let name = attachment.id.ifname.as_str();
    let inside = Rtnl::open_in(&Netns::open(&attachment.netns)?)?;
    let link = inside.find_link(name)?.ok_or_else(|| Error::check(format!("link {name} is gone")))?;
    // What the reference moved has no record.
    if let Some(device) = Held::new().read(&attachment.id)? {
        if device.find(std::slice::from_ref(&link)).is_none() {
            return Err(Error::check(format!("link {name} is not the device {} of the host", device.name)));
        }
    }
    check::container(attachment, &result, &link.kind).map(drop)
}
