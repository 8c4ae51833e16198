//! ADD.

use std::path::Path;

use cni_net::{Netns, sysctl};
use cni_part::Site;
use cni_skel::{Attachment, Undo};
use cni_types::{CniResult, Doing, IfName, Result};

use crate::allowlist::{self, AllowList};
use crate::backup::Backups;
use crate::conf::Conf;
use crate::conf::sysctl::Sysctl;

/// # Errors
/// Code 7 for a sysctl that the node does not allow; code 5 for the backup; code 100 with what the kernel refused.
pub(crate) fn add<'a>(
    conf: &Conf,
    site: &'a Site<'a>,
    result: &mut CniResult,
    undo: &mut Undo<'a>,
) -> Result<()> {
    let wanted = conf.sysctls.of(site.attachment.id.ifname.as_str())?;
    if !wanted.is_empty() {
        AllowList::read(Path::new(allowlist::DIR))?.allow(&wanted)?;
        sysctls(site.netns()?, &wanted, undo)?;
    }
    if !conf.attributes.is_empty() {
        attributes(site, conf, undo)?;
    }
    announce(&site.attachment.id.ifname, conf, result);
    Ok(())
}

/// Writes the sysctls of the container, all in one visit.
fn sysctls<'a>(netns: &'a Netns, sysctls: &[Sysctl], undo: &mut Undo<'a>) -> Result<()> {
    let mut before = Vec::new();
    let written = netns.enter(|| sysctls.iter().try_for_each(|sysctl| write(sysctl, &mut before)))?;
    for (Sysctl { key, name, .. }, before) in before {
        let name = name.clone();
        let restore = move || netns.enter(|| sysctl::write(&name, &before))?;
        undo.push(format!("restore sysctl {key} in the container"), restore);
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
fn attributes<'a>(site: &'a Site<'a>, conf: &Conf, undo: &mut Undo<'a>) -> Result<()> {
    let Attachment { id, network, is_repeated, .. } = site.attachment;
    let (inside, link) = (site.inside()?, site.chained_interface()?);
    let before = conf.attributes.of(&link);
    let backups = Backups::of(network);
    // An ADD again of what is as the first one left it: that one knows what it was like.
    let first = backups.read(id).ok().flatten();
    is_repeated.set(first.is_some());
    let known = first.as_ref().map(|first| first.still_ours(&conf.attributes, &link).or(&before));
    backups.write(id, known.as_ref().unwrap_or(&before))?;
    undo.push("put the backup back", move || match &first {
        Some(first) => backups.write(id, first),
        None => backups.remove_if_present(id),
    });
    let tuned = link.clone();
    undo.push("restore the attributes of the interface", move || before.restore(inside, &tuned));
    conf.attributes.each().try_for_each(|attribute| inside.set_attribute(&link, attribute))
}

/// The result says what is new: the MAC address as it was asked for, the MTU where the result has one.
fn announce(ifname: &IfName, conf: &Conf, result: &mut CniResult) {
    for entry in result.interfaces.iter_mut().filter(|i| i.name == ifname.as_str() && !i.sandbox.is_empty()) {
        if conf.attributes.mac.is_some() {
            entry.mac.clone_from(&conf.mac_text);
        }
        if let (Some(mtu), true) = (conf.attributes.mtu, entry.mtu != 0) {
            entry.mtu = mtu;
        }
    }
}
