//! All plugins of one attachment, in the order of its list.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use cni_part::{Host, PartPlugin};
use cni_plugins::PART_PLUGINS;
use cni_skel::{Delegates, Plugin};
use cni_types::{Code, Doing, Error, Json, Network, PluginName, Result};

use super::attached::Attached;
use crate::cache::Kept;
use crate::conflist::PluginConf;

/// What became of one attachment.
pub(super) enum Outcome {
    /// Its container is gone.
    Gone,
    /// Everything was as ADD had made it.
    Whole,
    /// What was put back, and what could not be.
    Changed {
        put_back: Vec<&'static str>,
        failed: Vec<Error>,
        /// Some of it is back when the packet filter has settled.
        waits: bool,
    },
}

impl Outcome {
    pub(super) fn of(put_back: Vec<&'static str>, failed: Vec<Error>) -> Self {
        if put_back.is_empty() && failed.is_empty() {
            Self::Whole
        } else {
            Self::Changed { put_back, failed, waits: false }
        }
    }

    pub(super) fn failed(error: Error) -> Self {
        Self::of(Vec::new(), vec![error])
    }

    /// The same when these parts were put back already, or seemed to be.
    pub(super) fn after(self, before: Vec<&'static str>, is_settled: bool) -> Self {
        match self {
            Self::Gone => Self::Gone,
            Self::Whole => Self::of(before, Vec::new()),
            Self::Changed { mut put_back, failed, waits } => {
                put_back.extend(before.into_iter().filter(|_| is_settled || failed.is_empty()));
                put_back.sort_unstable();
                put_back.dedup();
                Self::Changed { put_back, failed, waits }
            }
        }
    }
}

/// Plugins behind one that cannot be restored are not looked at: what they add to may not be there.
pub(super) fn restore(attached: &Attached<'_>, host: &Rc<Host>) -> Outcome {
    let (mut put_back, mut failed, mut waits) = (Vec::new(), Vec::new(), false);
    for conf in &attached.kept.list.plugins {
        match restorable(attached, conf) {
            Ok(None) => {}
            Ok(Some((plugin, network))) => {
                let restored = plugin.restore(&attached.attachment(network), host);
                put_back.extend(restored.put_back);
                waits |= restored.waits;
                failed.extend(restored.failed.map(|error| error.doing(&conf.name)));
            }
            Err(error) => failed.push(error.doing(&conf.name)),
        }
        if !failed.is_empty() {
            break;
        }
    }
    match Outcome::of(put_back, failed) {
        Outcome::Changed { put_back, failed, .. } => Outcome::Changed { put_back, failed, waits },
        outcome => outcome,
    }
}

/// What is still to be done when the packet filter has settled.
pub(super) fn settled(attached: &Attached<'_>, host: &Rc<Host>) -> Result<()> {
    Error::all(attached.kept.list.plugins.iter().map(|conf| {
        let Some((plugin, network)) = restorable(attached, conf)? else { return Ok(()) };
        plugin.settled(&attached.attachment(network), host).doing(&conf.name)
    }))
}

/// The plugin that made the parts, with what it was told: flannel's are its delegate's. `None` for one that is not of
/// this suite, or keeps books only.
fn restorable(attached: &Attached<'_>, conf: &PluginConf) -> Result<Option<(&'static PartPlugin, Network)>> {
    let network = attached.network(conf)?;
    let Some(plugin) = find(&conf.name) else { return Ok(None) };
    if plugin.name != plugin_flannel::FLANNEL.name {
        return Ok(Some((plugin, network)));
    }
    let saved: Option<(PluginName, Json)> = plugin_flannel::delegate(&network, &attached.kept.id)?;
    let Some((name, conf)) = saved else {
        return Err(Error::new(Code::CHECK, "there is no saved configuration of the attachment"));
    };
    let Some(delegate) = find(&name) else { return Ok(None) };
    Ok(Some((delegate, attached.network_of_delegate(&name, conf)?)))
}

fn find(name: &PluginName) -> Option<&'static PartPlugin> {
    PART_PLUGINS.into_iter().find(|plugin| plugin.name == name.as_str())
}

/// A DEL that ran meanwhile has looked before something was put back: that goes again.
pub(super) fn take_back(kept: &Kept, cni_path: &[PathBuf], outcome: Outcome) -> Outcome {
    let Outcome::Changed { put_back, mut failed, .. } = outcome else { return outcome };
    if !put_back.is_empty() {
        failed.extend(remove(kept, cni_path).err().map(|e| e.doing("the container went meanwhile")));
    }
    if failed.is_empty() { Outcome::Gone } else { Outcome::of(Vec::new(), failed) }
}

fn remove(kept: &Kept, cni_path: &[PathBuf]) -> Result<()> {
    let attached = Attached::in_namespace(kept, Path::new(""), cni_path)?;
    Error::all(kept.list.plugins.iter().rev().map(|conf| {
        let Some((plugin, network)) = restorable(&attached, conf)? else { return Ok(()) };
        plugin.del(&attached.detachment(network), &Delegates::default())
    }))
}
