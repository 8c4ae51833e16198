//! ADD.

use std::path::Path;

use cni_net::{Netns, Rtnl, sysctl};
use cni_skel::{Attachment, Undo};
use cni_types::{CniResult, Doing, Result};

use crate::allowlist::{self, AllowList};
use crate::backup::Backups;
use crate::conf::Conf;
use crate::conf::sysctl::Sysctl;

pub(crate) fn add(attachment: &Attachment) -> Result<CniResult> {
    let id = &attachment.id;
    let conf = Conf::read(&attachment.network, &id.ifname)?;
    let mut result = attachment.network.chained_result("tuning")?;
    if !conf.sysctls.is_empty() {
        AllowList::read(Path::new(allowlist::DIR))?.allow(&conf.sysctls)?;
    }
    let netns = Netns::open(&attachment.netns)?;
    let mut undo = Undo::new();
    if !conf.sysctls.is_empty() {
        sysctls(&netns, &conf.sysctls, &mut undo)?;
    }
    if !conf.attributes.is_empty() {
        attributes(attachment, &netns, &conf, &mut undo)?;
    }
    undo.commit();
    announce(attachment, &conf, &mut result);
    Ok(result)
}

/// Writes the sysctls of the container, all in one visit.
fn sysctls<'a>(netns: &'a Netns, sysctls: &'a [Sysctl], undo: &mut Undo<'a>) -> Result<()> {
    let mut before = Vec::new();
    let written = netns.enter(|| sysctls.iter().try_for_each(|sysctl| write(sysctl, &mut before)))?;
    for (sysctl, before) in before {
        let restore = move || netns.enter(|| sysctl::write(&sysctl.name, &before))?;
        undo.push(format!("restore sysctl {} in the container", sysctl.key), restore);
    }
    written
}

/// Writes a sysctl of the namespace this thread is in. Some can only be written; those have nothing to go back to.
fn write<'a>(sysctl: &'a Sysctl, before: &mut Vec<(&'a Sysctl, String)>) -> Result<()> {
    let there = sysctl::read(&sysctl.name);
    sysctl::write(&sysctl.name, &sysctl.value).doing(format!("sysctl {}", sysctl.key))?;
    before.extend(there.ok().map(|value| (sysctl, value)));
    Ok(())
}

/// The backup is there before anything changes: a DEL after an ADD that was killed restores it.
fn attributes<'a>(attachment: &'a Attachment, netns: &Netns, conf: &Conf, undo: &mut Undo<'a>) -> Result<()> {
    let id = &attachment.id;
    let inside = Rtnl::open_in(netns)?;
    let link = inside.chained_interface(&id.ifname, netns)?;
    let before = conf.attributes.of(&link);
    let backups = Backups::of(&attachment.network);
    // An ADD again of what is as the first one left it: that one knows what it was like.
    let first = backups.read(id).ok().flatten();
    attachment.is_repeated.set(first.is_some());
    let known = first.as_ref().map(|first| first.still_ours(&conf.attributes, &link).or(&before));
    backups.write(id, known.as_ref().unwrap_or(&before))?;
    undo.push("put the backup back", move || match &first {
        Some(first) => backups.write(id, first),
        None => backups.remove_if_present(id),
    });
    let (undo_inside, undo_link) = (inside.clone(), link.clone());
    undo.push("restore the attributes of the interface", move || before.restore(&undo_inside, &undo_link));
    conf.attributes.each().try_for_each(|attribute| inside.set_attribute(&link, attribute))
}

/// The result says what is new: the MAC address as it was asked for, the MTU where the result has one.
fn announce(attachment: &Attachment, conf: &Conf, result: &mut CniResult) {
    let name = attachment.id.ifname.as_str();
    for entry in result.interfaces.iter_mut().filter(|i| i.name == name && !i.sandbox.is_empty()) {
        if conf.attributes.mac.is_some() {
            entry.mac.clone_from(&conf.mac_text);
        }
        if let (Some(mtu), true) = (conf.attributes.mtu, entry.mtu != 0) {
            entry.mtu = mtu;
        }
    }
}
